// Light or dark: as the system has it, until the reader chooses.

const KEY = "relsift.theme";
const THEMES = ["auto", "light", "dark"];

export function startTheme(button) {
  let theme = THEMES.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : "auto";
  const apply = () => { document.documentElement.dataset.theme = theme; };
  button.addEventListener("click", () => {
    const isDark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    theme = isDark ? "light" : "dark";
    localStorage.setItem(KEY, theme);
    apply();
  });
  apply();
}
