# SPDX-License-Identifier: Apache-2.0
# Files inside the program. Included: virga_embed(TARGET SYMBOL HEADER FILE…) makes them a list of base/embedded.h; HEADER declares it.
# Run with -P: writes that list's C file.
if(CMAKE_SCRIPT_MODE_FILE)
  set(texts "")
  set(entries "")
  string(REPLACE "|" ";" INPUT "${INPUT}")
  foreach(file ${INPUT})
    get_filename_component(name ${file} NAME)
    string(MAKE_C_IDENTIFIER ${name} identifier)
    file(READ ${file} text HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${text}")
    string(APPEND texts "static const char ${identifier}[] = {${bytes}0};\n")
    string(APPEND entries "{\"${name}\", ${identifier}}, ")
  endforeach()
  file(WRITE ${OUTPUT} "// Generated from files in assets.\n#include \"${HEADER}\"\n${texts}const struct embedded_file ${SYMBOL}[] = {${entries}{0}};\n")
  return()
endif()

set(embed_script ${CMAKE_CURRENT_LIST_FILE})
function(virga_embed target symbol header)
  set(output ${PROJECT_BINARY_DIR}/generated/${symbol}.c)
  list(JOIN ARGN "|" files)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${files} -DOUTPUT=${output} -DSYMBOL=${symbol} -DHEADER=${header} -P ${embed_script}
    DEPENDS ${embed_script} ${ARGN} VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
