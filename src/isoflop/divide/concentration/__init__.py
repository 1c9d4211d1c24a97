"""How concentrated is compute: organisations, countries and sectors?"""
