// SPDX-License-Identifier: Apache-2.0
#include "server/wms_capabilities.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/wms_private.h"

static const char *const old_type = "<!DOCTYPE WMT_MS_Capabilities SYSTEM \"http://schemas.opengis.net/wms/1.1.1/capabilities_1_1_1.dtd\">\n";
static const char *const old_exception = "<!DOCTYPE ServiceExceptionReport SYSTEM \"http://schemas.opengis.net/wms/1.1.1/exception_1_1_1.dtd\">\n";

const char *wms_capabilities_type(enum wms_version version) { return version == WMS_1_3_0 ? "text/xml; charset=utf-8" : "application/vnd.ogc.wms_xml; charset=utf-8"; }
const char *wms_exception_type(enum wms_version version) { return version == WMS_1_3_0 ? "text/xml; charset=utf-8" : "application/vnd.ogc.se_xml; charset=utf-8"; }

char *wms_exception_write(enum wms_version version, const struct wms_exception *exception, size_t *size) {
    bool new = version == WMS_1_3_0;
    struct xml_writer *xml = xml_writer_new(new ? NULL : old_exception);
    xml_open(xml, "ServiceExceptionReport");
    xml_attribute(xml, "version", new ? "1.3.0" : "1.1.1");
    if (new) xml_attribute(xml, "xmlns", "http://www.opengis.net/ogc");
    xml_open(xml, "ServiceException");
    if (exception->code) xml_attribute(xml, "code", exception->code);
    if (exception->locator && new) xml_attribute(xml, "locator", exception->locator);
    xml_write(xml, exception->failure.message[0] ? exception->failure.message : status_name(exception->failure.status));
    return xml_writer_end(xml, size);
}

void wms_write_address(struct wms_document *d, const char *query) {
    char text[2048];
    snprintf(text, sizeof text, "%s?%s", d->asked->address, query);
    xml_open(d->xml, "OnlineResource");
    if (!d->new) xml_attribute(d->xml, "xmlns:xlink", WMS_XLINK);  // as its document type wants it
    xml_attribute(d->xml, "xlink:type", "simple");
    xml_attribute(d->xml, "xlink:href", text);
    xml_close(d->xml);
}

static void write_service(struct wms_document *d) {
    const struct catalog_dataset *only = d->asked->dataset ? catalog_find_dataset(d->catalog, d->asked->dataset) : NULL;
    xml_open(d->xml, "Service");
    xml_text(d->xml, "Name", d->new ? "WMS" : "OGC:WMS");
    xml_text(d->xml, "Title", only ? only->title : "Weather forecasts");
    xml_text(d->xml, "Abstract", "Maps of forecasts at any level, from the model's own columns. TIME is the valid time, ELEVATION the level, DIM_REFERENCE_TIME the run. "
                                 "COLORSCALERANGE, NUMCOLORBANDS, ABOVEMAXCOLOR, BELOWMINCOLOR, LOGSCALE and OPACITY mean what they do in ncWMS. "
                                 "GetCapabilities with LAYERS lists those layers alone.");
    xml_open(d->xml, "KeywordList");
    xml_text(d->xml, "Keyword", "meteorology");
    xml_text(d->xml, "Keyword", "forecast");
    xml_close(d->xml);
    wms_write_address(d, "");
    xml_text(d->xml, "Fees", "none");
    xml_text(d->xml, "AccessConstraints", "none");
    if (d->new) {
        xml_number(d->xml, "LayerLimit", MAP_PICTURE_LAYERS);
        xml_number(d->xml, "MaxWidth", d->asked->most_side);
        xml_number(d->xml, "MaxHeight", d->asked->most_side);
    }
    xml_close(d->xml);
}

static void write_operation(struct wms_document *d, const char *name, const char *const *formats) {
    xml_open(d->xml, name);
    for (; *formats; formats++) xml_text(d->xml, "Format", *formats);
    xml_open(d->xml, "DCPType");
    xml_open(d->xml, "HTTP");
    xml_open(d->xml, "Get");
    wms_write_address(d, "");
    for (int n = 0; n < 4; n++) xml_close(d->xml);
}

static void write_requests(struct wms_document *d) {
    static const char *const capabilities[] = {"text/xml", NULL}, *const old_capabilities[] = {"application/vnd.ogc.wms_xml", NULL};
    static const char *const pictures[] = {"image/png", "image/jpeg", "image/png; mode=8bit", "image/png; mode=32bit", NULL};
    static const char *const infos[] = {"text/xml", "application/json", "text/plain", "text/html", NULL};
    xml_open(d->xml, "Request");
    write_operation(d, "GetCapabilities", d->new ? capabilities : old_capabilities);
    write_operation(d, "GetMap", pictures);
    write_operation(d, "GetFeatureInfo", infos);
    write_operation(d, d->new ? "sld:GetLegendGraphic" : "GetLegendGraphic", pictures);
    xml_close(d->xml);
}

static void write_exceptions(struct wms_document *d) {
    static const char *const names[][3] = {{"application/vnd.ogc.se_xml", "application/vnd.ogc.se_inimage", "application/vnd.ogc.se_blank"}, {"XML", "INIMAGE", "BLANK"}};
    xml_open(d->xml, "Exception");
    for (int n = 0; n < 3; n++) xml_text(d->xml, "Format", names[d->new][n]);
    xml_close(d->xml);
}

static void open_document(struct wms_document *d) {
    xml_open(d->xml, d->new ? "WMS_Capabilities" : "WMT_MS_Capabilities");
    xml_attribute(d->xml, "version", d->new ? "1.3.0" : "1.1.1");
    if (!d->new) return;
    xml_attribute(d->xml, "xmlns", "http://www.opengis.net/wms");
    xml_attribute(d->xml, "xmlns:xlink", WMS_XLINK);
    xml_attribute(d->xml, "xmlns:sld", "http://www.opengis.net/sld");
    xml_attribute(d->xml, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    xml_attribute(d->xml, "xsi:schemaLocation",
                  "http://www.opengis.net/wms http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd "
                  "http://www.opengis.net/sld http://schemas.opengis.net/sld/1.1.0/sld_capabilities.xsd");
}

char *wms_capabilities_write(const struct catalog *catalog, const struct wms_capabilities *asked, size_t *size) {
    struct wms_document d = {.asked = asked, .catalog = catalog, .new = asked->version == WMS_1_3_0};
    d.xml = xml_writer_new(d.new ? NULL : old_type);
    open_document(&d);
    write_service(&d);
    xml_open(d.xml, "Capability");
    write_requests(&d);
    write_exceptions(&d);
    wms_write_layers(&d);
    wms_forget_times(&d);
    char *text = xml_writer_end(d.xml, size);
    if (!d.failed) return text;
    free(text);
    return NULL;
}
