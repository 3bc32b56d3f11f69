"""How claims are measured, recorded and shown: one manner for all scripts of this folder."""
