#include "tools/cell_law_input.hpp"

#include "circuit/error.hpp"
#include "data/cell_table.hpp"

namespace kirchnet {

CellLaw named_cell_law(const std::string& text, const std::string& where) {
    const std::string table = "table:";
    try {
        return text.starts_with(table) ? read_cell_table(text.substr(table.size()))
                                       : parse_cell_law(text);
    } catch (const InvalidInput& error) {
        throw InvalidInput(where, error.what());
    }
}

}  // namespace kirchnet
