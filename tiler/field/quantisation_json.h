// SPDX-License-Identifier: Apache-2.0
// assets/quantisation.json as it was when the program was built; "" when there was none.
#ifndef VIRGA_FIELD_QUANTISATION_JSON_H
#define VIRGA_FIELD_QUANTISATION_JSON_H

extern const char quantisation_json[];

#endif
