"""What the extension modules that CFFI compiled import: Keelback, under CFFI's name. Of the pip package keelback-cffi."""
from keelback._cffi import provide

provide(__name__)
