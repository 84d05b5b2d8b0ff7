"""A picture of what an X server without a screen shows: screen.py XWD-FILE PNG-FILE

Xvfb keeps its screen in a file of the XWD format (X11/XWDFile.h). Prints a sum over its pixels, which two pictures share
where they are the same, and 0 for a screen that is all black, as an empty one is.
"""
import struct
import sys
import zlib

data = open(sys.argv[1], "rb").read()
size, _, _, _, width, height = struct.unpack(">6I", data[:24])
line, colours = struct.unpack(">I", data[48:52])[0], struct.unpack(">I", data[76:80])[0]
pixels = data[size + colours * 12:]
rows = []
for y in range(height):
    row = pixels[y * line:y * line + width * 4]
    rgb = bytearray(width * 3)
    rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
    rows.append(bytes(rgb))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


with open(sys.argv[2], "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)))
    file.write(chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""))
print(zlib.crc32(b"".join(rows)) if any(map(any, rows)) else 0)
