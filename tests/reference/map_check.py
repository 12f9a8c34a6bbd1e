#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds pictures of maps against map_reference, for tests that are not Python's: one request, a line of JSON, on standard input each.

    {"file": PATH, "variable": NAME, "step": 0, "level": null, "crs": "EPSG:3857", "box": [left, bottom, right, top],
     "picture": "screenshot.png", "cut": [x, y, width, height], "colour_map": "temperature", "range": [250, 320],
     "error": 0.05, "slack": 0.5, "steps": 1, "rounding": 1, "share": 0, "opaque": false}

The answer, one line each: {"wrong": share, "message": ""} where it agrees, else what does not (and "wrong" is 1). cut: the part of the picture that shows the box
(all by default). opaque: what lies below shows where there is no value, so that only colours count.
"""
import json
import sys

import map_reference
import png


def answer(ask):
    picture = png.read(ask["picture"]).pixels
    if ask.get("cut"):
        x, y, width, height = ask["cut"]
        picture = picture[y:y + height, x:x + width]
    field = map_reference.load(ask["file"], ask["variable"], ask.get("step", 0), ask.get("level"),
                               ask.get("error", 0.05))
    frame = map_reference.Frame(ask["crs"], ask["box"], picture.shape[1], picture.shape[0])
    bounds = field.bounds(frame, ask.get("slack", 0.5))
    colours = map_reference.Colours(ask.get("colour_map", "temperature"), *ask.get("range", (250.0, 320.0)))
    tolerance = {key: ask[key] for key in ("steps", "rounding", "opaque") if key in ask}
    try:
        return {"wrong": map_reference.check(picture, bounds, colours, ask.get("share", 0), **tolerance), "message": ""}
    except AssertionError as error:
        return {"wrong": 1, "message": str(error)}


def main():
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
