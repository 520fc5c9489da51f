#include <nlohmann/json.hpp>

#include "data/result_file.hpp"
#include "tools/commands/commands.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {

int run_info(const InfoArguments& arguments) {
    const FileSummary summary = summarize_file(arguments.file);
    if (arguments.json) {
        print_json({{"file", arguments.file},
                    {"format", summary.format},
                    {"format_version", summary.format_version},
                    {"producer", summary.producer},
                    {"lines", summary.lines}});
        return 0;
    }
    std::string text = arguments.file + ": " + summary.format + ", version " +
                       std::to_string(summary.format_version) + ", by " + summary.producer + "\n";
    for (const auto& line : summary.lines) text += line + "\n";
    print_text(text);
    return 0;
}

}  // namespace kirchnet
