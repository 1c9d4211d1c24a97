"""Are academic teams rarer where compute is larger: by decile above trend, and by field?"""
