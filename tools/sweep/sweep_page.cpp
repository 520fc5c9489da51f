#include "tools/sweep/sweep_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "circuit/names.hpp"
#include "circuit/units.hpp"
#include "tools/output/html.hpp"
#include "tools/output/page_files.hpp"
#include "tools/output/plots/axis.hpp"

namespace kirchnet {
namespace {

std::string percent(double share) {
    return fmt::format("{:.2f}", 100 * share);
}

std::string interval(const Estimate& estimate) {
    return fmt::format("{:.2f} to {:.2f}", 100 * estimate.low, 100 * estimate.high);
}

std::vector<std::string> series_names(const SweepFigure& figure) {
    std::vector<std::string> names;
    for (const FigurePanel& panel : figure.panels)
        for (const FigureSeries& series : panel.series)
            if (std::find(names.begin(), names.end(), series.name) == names.end())
                names.push_back(series.name);
    return names;
}

/// What panels of a figure share.
struct ChartAxes {
    AxisScale x;
    double low = 0;  ///< of y [%]
    double high = 100;
    std::vector<std::string> names;
};

ChartAxes chart_axes(const SweepFigure& figure) {
    std::vector<double> x;
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const FigurePanel& panel : figure.panels)
        for (const FigureSeries& series : panel.series)
            for (const FigurePoint& point : series.points) {
                if (!std::isfinite(point.x)) continue;
                x.push_back(point.x);
                low = std::min(low, 100 * point.y.low);
                high = std::max(high, 100 * point.y.high);
            }
    const double margin = high > low ? 0.05 * (high - low) : 1;
    return {{x, figure.settings.log_x}, low - margin, high + margin, series_names(figure)};
}

/// Rows of x with a value per series; equal x of one series take rows of their own.
nlohmann::json chart_rows(const FigurePanel& panel, const AxisScale& scale) {
    std::map<std::pair<double, std::size_t>, nlohmann::json> rows;
    for (std::size_t s = 0; s < panel.series.size(); ++s) {
        std::map<double, std::size_t> met;
        for (const FigurePoint& point : panel.series[s].points) {
            if (!std::isfinite(point.x)) continue;
            const double place = scale.place(point.x);
            auto& row = rows[{place, met[place]++}];
            if (row.is_null())
                row = {place, fmt::format("{:g}", point.x),
                       nlohmann::json(std::vector<std::nullptr_t>(panel.series.size()))};
            row[2][s] = {100 * point.y.low, 100 * point.y.mean, 100 * point.y.high,
                         100 * point.least, 100 * point.most,   point.summary.trials};
        }
    }
    nlohmann::json list = nlohmann::json::array();
    for (auto& [place, row] : rows) list.push_back(std::move(row));
    return list;
}

nlohmann::json chart_json(const SweepFigure& figure, const FigurePanel& panel,
                          const ChartAxes& axes) {
    nlohmann::json chart{
        {"x_label", figure.x_label},      {"y_label", figure.y_label},
        {"log", axes.x.is_log()},         {"window", {axes.x.low(), axes.x.high()}},
        {"range", {axes.low, axes.high}}, {"rows", chart_rows(panel, axes.x)}};
    if (axes.x.has_zero_apart()) chart["zero"] = axes.x.zero_place();
    for (const FigureSeries& series : panel.series) {
        const auto place = std::find(axes.names.begin(), axes.names.end(), series.name);
        chart["series"].push_back({{"name", series.name.empty() ? figure.y_label : series.name},
                                   {"colour", place - axes.names.begin()}});
    }
    return chart;
}

/// JSON inside a page: no text in it can end the element.
std::string json_element(const nlohmann::json& object) {
    std::string text = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::string safe;
    for (const char letter : text)
        safe += letter == '<' ? std::string("\\u003c") : std::string(1, letter);
    return fmt::format("<script type=\"application/json\">{}</script>\n", safe);
}

/// The page, section by section.
class Page {
  public:
    void add_sweep(const SweepReport& report, const std::vector<FigureFiles>& files,
                   const WorstChip& worst, bool has_others) {
        if (has_others) body_ += heading(2, report.plan().name);
        if (!report.plan().description.empty())
            body_ +=
                fmt::format("<p class=\"lead\">{}</p>\n", escape_html(report.plan().description));
        add_state(report);
        add_gates(report);
        add_figures(report, files);
        add_pairs(report);
        add_points(report);
        add_worst(report, worst);
        add_provenance(report);
        add_configuration(report);
    }

    [[nodiscard]] std::string str(const std::string& title) const {
        return fmt::format(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
            "form-action 'none'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n"
            "<meta name=\"generator\" content=\"kirchnet {}\">\n<title>{}</title>\n"
            "<style>\n{}\n{}</style>\n</head>\n<body>\n<main>\n{}{}</main>\n{}</body>\n</html>\n",
            KIRCHNET_VERSION, escape_html(title), without_source_map(page::dygraphs_style()),
            page::style(), heading(1, title), body_, scripts());
    }

  private:
    static std::string heading(int level, const std::string& text) {
        return fmt::format("<h{0}>{1}</h{0}>\n", level, escape_html(text));
    }

    [[nodiscard]] std::string scripts() const {
        if (charts_ == 0) return {};
        std::string licence(page::dygraphs_licence());
        for (auto at = licence.find("--"); at != std::string::npos; at = licence.find("--"))
            licence.replace(at, 2, "- ");  // which would end the comment
        return fmt::format(
            "<!-- The charts are drawn by dygraphs:\n\n{}\n-->\n<script>\n{}\n"
            "</script>\n<script>\n{}</script>\n",
            licence, without_source_map(page::dygraphs_script()), page::script());
    }

    /// Without the last line's hint at a map, which a browser's tools would look for.
    static std::string_view without_source_map(std::string_view text) {
        const auto hint = text.rfind("# sourceMappingURL=");
        return hint == std::string_view::npos ? text : text.substr(0, hint - 2);
    }

    void add_state(const SweepReport& report) {
        const SweepRecord& record = report.record();
        body_ += fmt::format("<p>{} designs, {} of {} chips run, {} images each.</p>\n",
                             record.points.size(), record.units.size(), report.planned_units(),
                             record.images);
        if (!record.complete)
            body_ +=
                "<p class=\"warning\">This sweep is not complete: numbers below will "
                "change.</p>\n";
    }

    void add_gates(const SweepReport& report) {
        if (report.gates().empty()) return;
        body_ += heading(3, "Gates") + "<ul class=\"gates\">\n";
        for (const GateResult& gate : report.gates()) {
            std::string lines;
            for (const std::string& line : gate.lines)
                lines += fmt::format("<li>{}</li>\n", escape_html(line));
            body_ += fmt::format("<li class=\"{0}\"><strong>{1}</strong> {2}<ul>{3}</ul></li>\n",
                                 gate.passed ? "passed" : "failed",
                                 gate.passed ? "passed" : "FAILED", escape_html(gate.name), lines);
        }
        body_ += "</ul>\n";
    }

    void add_figures(const SweepReport& report, const std::vector<FigureFiles>& files) {
        if (report.figures().empty()) return;
        body_ += heading(3, "Figures");
        for (std::size_t i = 0; i < files.size(); ++i)
            add_figure(report, report.figures()[i], files[i]);
    }

    void add_figure(const SweepReport& report, const SweepFigure& figure,
                    const FigureFiles& files) {
        body_ += fmt::format("<section class=\"figure\">\n<h4>{}</h4>\n",
                             escape_html(figure.settings.title));
        if (figure.has_chart()) {
            const ChartAxes axes = chart_axes(figure);
            body_ += "<div class=\"charts\" hidden>\n";
            for (const FigurePanel& panel : figure.panels) {
                body_ +=
                    fmt::format("<div class=\"panel\">\n<h5>{}</h5>\n", escape_html(panel.name)) +
                    json_element(chart_json(figure, panel, axes)) + "</div>\n";
                ++charts_;
            }
            body_ += "</div>\n";
            body_ += html_details("As a picture",
                                  fmt::format("<div class=\"picture\">{}</div>\n",
                                              inline_svg(files.svg, ++pictures_)),
                                  true);
        } else {
            body_ +=
                fmt::format("<p class=\"note\">No chart: {}.</p>\n", escape_html(figure.no_chart));
        }
        if (figure.settings.y == FigureSettings::Quantity::change && figure.has_chart())
            body_ += break_even_table(figure);
        body_ += html_details("Numbers", figure_table(report, figure), !figure.has_chart());
        body_ += fmt::format(
            "<p class=\"note\">Beside this page: {}<a href=\"{}.csv\">{}.csv</a>"
            "</p>\n</section>\n",
            files.svg.empty() ? "" : fmt::format("<a href=\"{0}.svg\">{0}.svg</a>, ", files.name),
            files.name, files.name);
    }

    static std::string break_even_table(const SweepFigure& figure) {
        const auto text = [](double x) {
            return std::isnan(x) ? std::string("none") : fmt::format("{:.3g}", x);
        };
        HtmlTable table({"panel", "series", "no change at", "of its interval's ends"}, 2);
        for (const FigurePanel& panel : figure.panels)
            for (const FigureSeries& series : panel.series) {
                const BreakEven found = break_even(series, figure.settings.log_x);
                table.add({panel.name, series.name, text(found.at),
                           text(found.low) + " .. " + text(found.high)});
            }
        return fmt::format("<p>Where the change is 0, in {}:</p>\n", escape_html(figure.x_label)) +
               table.str();
    }

    static std::string figure_table(const SweepReport& report, const SweepFigure& figure) {
        std::vector<std::string> titles{"panel", "series", figure.settings.x};
        for (const std::string& title : {figure.y_label, std::string("95 %"), std::string("least"),
                                         std::string("most"), std::string("trials")})
            titles.push_back(title);
        HtmlTable table(titles, 2);
        const auto& axes = report.record().axes;
        for (const FigurePanel& panel : figure.panels)
            for (const FigureSeries& series : panel.series)
                for (const FigurePoint& point : series.points) {
                    const auto& values = report.record().points[point.summary.point].values;
                    const auto axis = std::find(axes.begin(), axes.end(), figure.settings.x);
                    table.add({panel.name, series.name,
                               axis == axes.end()
                                   ? fmt::format("{:.4g}", point.x)
                                   : values[static_cast<std::size_t>(axis - axes.begin())],
                               percent(point.y.mean), interval(point.y), percent(point.least),
                               percent(point.most), fmt::to_string(point.summary.trials)});
                }
        return table.str();
    }

    void add_pairs(const SweepReport& report) {
        if (report.pairs().empty()) return;
        body_ += heading(3, "Paired differences");
        body_ += fmt::format(
            "<p>Change of {} chip by chip and image by image, in percentage points, with its "
            "95 % interval and the two-sided probability of such a change by chance.</p>\n",
            escape_html(report.record().metric));
        const SweepRecord& record = report.record();
        for (const PairFinding& pair : report.pairs()) {
            std::vector<std::string> titles;
            std::vector<std::size_t> shared;  // axes that the pair does not change
            for (std::size_t axis = 0; axis < record.axes.size(); ++axis)
                if (!pair.pair.to.contains(record.axes[axis])) {
                    shared.push_back(axis);
                    titles.push_back(record.axes[axis]);
                }
            const std::size_t names = std::max<std::size_t>(shared.size(), 1);
            for (const char* title : {"trials", "change [points]", "95 %", "p"})
                titles.emplace_back(title);
            HtmlTable table(titles, names);
            for (const PairSummary& result : pair.results) {
                std::vector<std::string> row;
                for (const std::size_t axis : shared)
                    row.push_back(record.points[result.from].values[axis]);
                for (const std::string& text : {fmt::to_string(result.trials),
                                                fmt::format("{:+.2f}", 100 * result.change.mean),
                                                interval(result.change), p_text(result.p)})
                    row.push_back(text);
                table.add(std::move(row));
            }
            body_ += heading(4, pair_title(pair.pair));
            body_ +=
                pair.results.empty() ? "<p class=\"note\">No finished pair.</p>\n" : table.str();
        }
    }

    static std::string values_text(const AxisValues& values) {
        std::string text;
        for (const auto& [axis, value] : values)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", axis, value);
        return text;
    }

    static std::string pair_title(const PairedPoints& pair) {
        const std::string change =
            fmt::format("from {} to {}", values_text(pair.from), values_text(pair.to));
        return pair.name.empty() ? change : fmt::format("{}: {}", pair.name, change);
    }

    void add_points(const SweepReport& report) {
        const SweepRecord& record = report.record();
        std::vector<std::string> titles{"point"};
        titles.insert(titles.end(), record.axes.begin(), record.axes.end());
        const std::size_t names = titles.size();
        for (const std::string& title :
             {std::string("trials"), fmt::format("{} [%]", record.metric),
              std::string("95 %, chips and images"), std::string("95 %, chips"),
              std::string("worst chip"), std::string("best chip"), std::string("s/trial")})
            titles.push_back(title);
        HtmlTable table(titles, names);
        for (const PointSummary& point : report.points()) {
            std::vector<std::string> row{fmt::to_string(point.point)};
            const auto& values = record.points[point.point].values;
            row.insert(row.end(), values.begin(), values.end());
            for (const std::string& text :
                 {fmt::to_string(point.trials), percent(point.accuracy.mean),
                  interval(point.accuracy), interval(point.over_chips), percent(point.least),
                  percent(point.most), fmt::format("{:.2f}", point.seconds)})
                row.push_back(text);
            table.add(std::move(row));
        }
        body_ += heading(3, "Points") + table.str();
    }

    void add_worst(const SweepReport& report, const WorstChip& worst) {
        body_ += heading(3, "The worst chip");
        body_ += fmt::format("<p>Point {} ({}), trial {}: {} {} %.</p>\n", worst.point,
                             escape_html(report.summary().name(worst.point)), worst.trial,
                             escape_html(report.record().metric), percent(worst.score));
        if (!worst.missing.empty()) {
            body_ += fmt::format("<p class=\"note\">{}.</p>\n", escape_html(worst.missing));
            return;
        }
        add_layers(worst);
        body_ += "<div class=\"pictures\">\n";
        for (const ChipPicture& picture : worst.pictures)
            body_ += fmt::format(
                "<figure><div class=\"picture\">{}</div><figcaption>{}"
                "</figcaption></figure>\n",
                inline_svg(picture.svg, ++pictures_), escape_html(picture.caption));
        body_ += "</div>\n";
        add_cells(worst);
        if (worst.deck.empty()) return;
        body_ += heading(4, "Its netlist") + html_text_block(worst.deck) +
                 "<p>The whole deck, ready for ngspice:</p>\n" +
                 html_text_block(worst.deck_command, true);
    }

    void add_layers(const WorstChip& worst) {
        body_ += fmt::format(
            "<p>Tile {} of layer {} is furthest from what was intended: its transfer matrix "
            "is off by {:.0f} % of its norm.</p>\n",
            escape_html(worst.tile), escape_html(worst.layer), 100 * worst.deviation);
        HtmlTable table({"layer", "tiles", "mean error [%]", "worst error [%]", "worst tile"});
        for (const LayerDamage& layer : worst.layers)
            table.add({layer.layer, fmt::to_string(layer.tiles),
                       fmt::format("{:.1f}", 100 * layer.mean),
                       fmt::format("{:.1f}", 100 * layer.most), layer.place});
        body_ += html_details("Layer by layer", table.str());
    }

    void add_cells(const WorstChip& worst) {
        HtmlTable table({"cell", "layer", "tile", "output channel", "input channel", "kernel y, x",
                         "side", "weight", "target", "actual", "seen by the read-out", "fault"},
                        3);
        for (const WorstCell& cell : worst.cells) {
            const auto* weight = std::get_if<CellAddress>(&cell.meaning.identity);
            const auto number = [&](std::int32_t CellAddress::*field) {
                return weight == nullptr ? std::string() : fmt::to_string(weight->*field);
            };
            table.add(
                {cell_name(cell.meaning.position), worst.layer, worst.tile,
                 number(&CellAddress::output_channel), number(&CellAddress::input_channel),
                 weight == nullptr ? "unused"
                                   : fmt::format("{}, {}", weight->kernel_y, weight->kernel_x),
                 std::string(1, to_char(cell.meaning.position.polarity)),
                 cell.meaning.weight ? fmt::format("{:.4g}", *cell.meaning.weight * cell.scale)
                                     : "",
                 format_quantity(cell.meaning.intended_conductance, "S"),
                 format_quantity(cell.meaning.conductance, "S"), format_quantity(cell.seen, "S"),
                 std::string(to_string(cell.meaning.fault))});
        }
        body_ += heading(4, "Its worst cells") + table.str();
    }

    void add_provenance(const SweepReport& report) {
        const SweepRecord& record = report.record();
        HtmlTable table({"what", "value"}, 2);
        for (const ResultsSource& source : report.sources())
            table.add({"results", fmt::format("{}, by {}, shard {}", source.file, source.producer,
                                              source.shard)});
        for (const SweepNetwork& network : record.networks)
            table.add({"network",
                       fmt::format("{} ({}), digest {}, {:.1f} % zeros, software {} {} %",
                                   network.file, network.name, network.digest, 100 * network.zeros,
                                   record.metric, percent(network.software_accuracy))});
        table.add({"images", fmt::to_string(record.images)});
        table.add({"seed", fmt::to_string(record.seed)});
        table.add({"trials", fmt::to_string(record.trials)});
        table.add({"identity", record.identity});
        table.add({"this page", fmt::format("by kirchnet {}", KIRCHNET_VERSION)});
        body_ += heading(3, "Where it comes from") + table.str();
    }

    void add_configuration(const SweepReport& report) {
        body_ += heading(3, "Configuration") +
                 html_details("Plan", html_text_block(report.record().plan)) +
                 html_details("Settings that every point starts from",
                              html_text_block(report.record().settings));
    }

    std::string body_;
    std::size_t charts_ = 0;
    std::size_t pictures_ = 0;
};

}  // namespace

std::string report_page(const std::vector<std::unique_ptr<SweepReport>>& reports,
                        const std::vector<std::vector<FigureFiles>>& files,
                        const std::vector<WorstChip>& worst) {
    Page page;
    for (std::size_t i = 0; i < reports.size(); ++i)
        page.add_sweep(*reports[i], files[i], worst[i], reports.size() > 1);
    return page.str(reports.size() == 1 ? reports.front()->plan().name
                                        : fmt::format("{} sweeps", reports.size()));
}

}  // namespace kirchnet
