"""Write a trained model in a form that needs no torch; `relsift.exported` reads it."""
