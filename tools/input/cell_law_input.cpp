#include "tools/input/cell_law_input.hpp"

#include "circuit/error.hpp"
#include "data/cell_file.hpp"
#include "data/cell_table.hpp"

namespace kirchnet {

CellLaw named_cell_law(const std::string& text, const std::string& where, double read_voltage) {
    const std::string table = "table:";
    const std::string own = "byo:";
    try {
        if (text.starts_with(table)) return read_cell_table(text.substr(table.size()));
        if (text.starts_with(own))
            return CellLaw::custom(
                std::make_shared<SurfaceLaw>(text, read_cell(text.substr(own.size())).surface));
        return parse_cell_law(text, read_voltage);
    } catch (const InvalidInput& error) {
        throw InvalidInput(where, error.what());
    }
}

}  // namespace kirchnet
