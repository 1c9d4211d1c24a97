"""Our own robotics scaling study: behaviour cloning in MuJoCo, measured on a CPU.

`python -m validation.robotics_study` remakes it; the README says what is measured and how.
"""
