"""How many systems a sector and year would tell a widening gap from a steady one."""
