"""Words with a full stop that may not end a sentence, by what must follow; for `relsift.sentences`. Lower case, without the last stop."""

from __future__ import annotations


def _words(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in text.split())


_TITLES = (
    "mr mrs ms messrs dr drs prof st ste mt ft gen col lt sgt cpl capt cmdr cdr maj adm brig pvt sen rep gov pres supt rev hon fr msgr "
    "mme mlle mgr hr fra sra srta dña ud uds lic dra sig dott ing dipl priv-doz"
)
_LINKS = (
    "vs viz cf approx ca resp esp incl excl eg ie e.g i.e a.k.a "
    "bzw z.b d.h u.a u.u vgl sog ggf evtl zzgl bzgl bspw inkl insb insbes p.ex par.ex c.-à-d p.ej"
)
_RUSSIAN_LINKS = "им ул пр пл пгт т.е т.н св акад проф стр"
# The full stop is never the end of a sentence where a word follows on the line.
NEVER_THE_END = _words(_TITLES, _LINKS, _RUSSIAN_LINKS)

# The full stop belongs to the word before a number, a bracketed number, a numeral such as IV, or a letter such as B.
BEFORE_NUMBERS = _words(
    "no nos nr nrs num fig figs eq eqs ref refs tab tabs p pp pg v ver vers vol vols sec sect secs ch chap chaps art arts par para "
    "paras app appx ex exp sched cl reg pt pts ed eds ser iss ser suppl lot bk lib col ln r d b c fl est born died geb gest reg "
    "abb abs abschn aufl gem jg rn ziff bd bde kap s z hs anm "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun "
    "rd av avda núm pág párr párrf pto tel ext cra n° nº art cap д п пп ст гл рис табл т тт вып кв "
    "ene abr ago dic janv févr avr juil déc jän mär okt dez"
)  # fmt: skip

# The full stop ends a sentence only before one of STARTERS.
BEFORE_OTHERS = _words(
    "inc ltd co corp llc llp plc bros cos gmbh cie mfg dept univ assn assoc intl natl acad inst proc trans conf symp sci "
    "ann rev lett phys chem biol med surg clin res jr sr esq etc al ave blvd rd hwy sq bldg apt "
    "ph.d phd m.sc b.sc d.sc dphil spp sp var subsp ssp cv gen nov p.m a.m "
    "v u seq cit ibid u.s u.k u.n e.u u.s.a d.c n.y usw usf dgl etw ggü abt allg "
    "т.к обл респ"
)  # fmt: skip
# The same, but only as it is written here: "Sat. Night", not "where they sat. Nobody". No states (Va, Calif): in a sentence a comma
# follows them, and before a capital letter they end it.
CAPITALISED = _words(
    "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun "
    "Fed Civ Crim Cir Supp Eq Eqs Fig Figs Ref Refs Tab Sec Vol Art"
)
# The full stop ends a sentence only before a capital letter, and not before a closing bracket: "25 ноября 2000 г. — назначен".
BEFORE_SYMBOLS = _words("г гг в вв др руб коп тыс млн млрд долл р г.р т.д т.п н.э")
MONTHS = _words(  # and other nouns behind an ordinal, "am 3. Mai"; the names that are English too only before a year
    "jahrhundert jahrhunderts jh weltkrieg weltkriegs auflage bundesliga lebensjahr "
    "januar jänner februar märz mai juni juli oktober dezember "
    "januari februari maart mei juni juli augustus oktober marts maj"
)
MONTHS_IN_ENGLISH_TOO = _words("april august september november december")
NAMES_WITH_MARKS = _words("yahoo jeopardy yum joomla toggo")  # names that end in "!"

# Words that often begin a sentence and seldom go on after an abbreviation ("Inc. The", but "U.S. First Lady"). As they are written.
STARTERS = _words(
    "The This That These Those There Then Thus Therefore Though Although However Moreover Furthermore Hence He She It We They You I "
    "His Her Its Our Their My Your In On At By For From With Without After Before During When While Where Why How What Who Which If "
    "Because Since As Another Some Many Each Several Also And But Or Nor So Yet To Between Among Let Do Does Did Can Could Will Would "
    "Should Must Now Later Meanwhile Instead Indeed Despite Even Just Recently Previously Here Such Nevertheless Nonetheless Finally "
    "Additionally Consequently Similarly Subsequently "
    "Der Die Das Ein Eine Er Sie Es Wir Ihr Im Am Bei Nach Vor Und Aber Oder Auch Dies Diese Dieser Dieses Dabei Dann Daher Doch "
    "Le Les Un Une Il Elle Ils Elles Nous Vous Ce Cette Ces Dans Mais Et Ou Donc "
    "El Los Las Una Este Esta Esto En Con Por Para Pero "
    "Он Она Оно Они Мы Вы Это Этот Эта Эти В Во На По С Со К Из За От До При Для И А Но Как Так Также Тогда Однако Если Когда Где Что "
    "Об О После Перед Уже Ранее Позже Сейчас Кроме"
)
