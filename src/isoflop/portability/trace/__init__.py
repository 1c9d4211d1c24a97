"""What a script calls when it runs, as a catalogue that can be run on any target."""
