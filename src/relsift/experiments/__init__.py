"""What the tables, figures and ablations of the papers need beyond training and scoring one model."""
