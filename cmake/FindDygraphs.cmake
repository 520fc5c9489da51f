# The charts of HTML reports: dygraphs (MIT), Debian package libjs-dygraphs.
#   Dygraphs_SCRIPT Dygraphs_STYLE Dygraphs_LICENCE   files that the program carries
set(places /usr/share/javascript/dygraphs /usr/local/share/javascript/dygraphs
           /usr/share/nodejs/dygraphs/dist)
find_file(Dygraphs_SCRIPT dygraph.min.js PATHS ${places})
find_file(Dygraphs_STYLE dygraph.min.css PATHS ${places})
find_file(Dygraphs_LICENCE NAMES copyright LICENSE.txt
          PATHS /usr/share/doc/libjs-dygraphs ${places} NO_DEFAULT_PATH)
mark_as_advanced(Dygraphs_SCRIPT Dygraphs_STYLE Dygraphs_LICENCE)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Dygraphs
  REQUIRED_VARS Dygraphs_SCRIPT Dygraphs_STYLE Dygraphs_LICENCE
  REASON_FAILURE_MESSAGE "install libjs-dygraphs (tools/setup.sh --core does), or name \
dygraph.min.js, dygraph.min.css and their licence in Dygraphs_SCRIPT, Dygraphs_STYLE, \
Dygraphs_LICENCE")
