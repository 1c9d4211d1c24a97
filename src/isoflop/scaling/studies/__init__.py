"""Many studies of other people: fitted one by one, pooled, and asked where they bend, break or stop."""
