"""Who has the compute, and what do those without it do? (Besiroglu et al. 2024.)"""
