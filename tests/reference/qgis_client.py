#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""QGIS without a screen draws layers into pictures: qgis_client.py JOBS.json, a list of

    {"uri": QGIS's address of a WMS layer, "crs": "EPSG:3857", "box": [left, bottom, right, top], "width": 400, "height": 300, "picture": PATH.png}

with "time": [first, last], texts of Qt's ISO dates, as the temporal controller's frame; or, with "identify": [x, y] in units of the CRS, what QGIS's identify
tool finds there. Prints a JSON list: {"valid", "error", "found"} each.
"""
import json
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (QgsApplication, QgsCoordinateReferenceSystem, QgsDateTimeRange, QgsMapRendererParallelJob,
                       QgsMapSettings,  # noqa: E402
                       QgsPointXY, QgsRaster, QgsRasterLayer, QgsRectangle)
from qgis.PyQt.QtCore import QDateTime, QSize, Qt  # noqa: E402
from qgis.PyQt.QtGui import QColor  # noqa: E402


def draw(layer, job):
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem(job["crs"]))
    settings.setOutputSize(QSize(job["width"], job["height"]))
    settings.setExtent(QgsRectangle(*job["box"]))
    settings.setBackgroundColor(QColor(0, 0, 0, 0))
    settings.setOutputDpi(96)
    if "time" in job:
        settings.setIsTemporal(True)
        settings.setTemporalRange(QgsDateTimeRange(*(QDateTime.fromString(text, Qt.ISODate) for text in job["time"])))
    work = QgsMapRendererParallelJob(settings)
    work.start()
    work.waitForFinished()
    work.renderedImage().save(job["picture"], "PNG")
    return [error.message for error in work.errors()]


def identify(layer, job):
    found = layer.dataProvider().identify(QgsPointXY(*job["identify"]), QgsRaster.IdentifyFormatText,
                                          QgsRectangle(*job["box"]),
                                          job["width"], job["height"])
    return [str(text) for text in found.results().values()]


def main():
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    answers = []
    with open(sys.argv[1]) as file:
        jobs = json.load(file)
    for job in jobs:
        layer = QgsRasterLayer(job["uri"], "layer", "wms")
        answer = {"valid": layer.isValid(), "error": layer.error().message(), "found": []}
        if layer.isValid():
            layer.temporalProperties().setIsActive("time" in job)
            answer["found"] = identify(layer, job) if "identify" in job else []
            answer["error"] = "; ".join(draw(layer, job)) if "picture" in job else ""
        answers.append(answer)
    print(json.dumps(answers), flush=True)
    os._exit(0)  # QGIS 3.22 may crash where Python takes its objects apart


if __name__ == "__main__":
    main()
