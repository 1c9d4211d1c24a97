"""What did revisions of a table do to its headlines?"""
