# SPDX-License-Identifier: Apache-2.0
# Included: turns assets/quantisation.json into a C string for virga_field. Run with -P: writes that file.
if(CMAKE_SCRIPT_MODE_FILE)
  set(text "")
  if(EXISTS "${INPUT}")
    file(READ "${INPUT}" text HEX)
  endif()
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${text}")
  file(WRITE "${OUTPUT}" "// Generated from ${INPUT}.\n#include \"field/quantisation_json.h\"\nconst char quantisation_json[] = {${bytes}0};\n")
  return()
endif()

set(quantisation_input ${PROJECT_SOURCE_DIR}/assets/quantisation.json)
set(quantisation_output ${PROJECT_BINARY_DIR}/generated/quantisation_json.c)
set(quantisation_depends ${PROJECT_SOURCE_DIR}/tiler/field/embed.cmake)
if(EXISTS ${quantisation_input})
  list(APPEND quantisation_depends ${quantisation_input})
endif()
add_custom_command(
  OUTPUT ${quantisation_output}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${quantisation_input} -DOUTPUT=${quantisation_output} -P ${PROJECT_SOURCE_DIR}/tiler/field/embed.cmake
  DEPENDS ${quantisation_depends} VERBATIM)
if(TARGET virga_field)
  target_sources(virga_field PRIVATE ${quantisation_output})
endif()
