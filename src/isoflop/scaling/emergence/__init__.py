"""Does success jump at a threshold, or does it only look so?"""
