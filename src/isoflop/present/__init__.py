"""How answers look everywhere: chapters, number formats, chart theme, pictures, console.

Import the modules by name (``from isoflop.present import formats``); nothing heavy is loaded
until a picture is drawn.
"""
