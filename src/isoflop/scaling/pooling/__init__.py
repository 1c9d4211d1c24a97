"""One exponent from many studies: estimators side by side, groups, what the mean rests on."""
