"""`import cffi` without CFFI: Keelback, under CFFI's name. Of the pip package keelback-cffi."""
from keelback._cffi import provide

provide(__name__)
