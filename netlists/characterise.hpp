#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "circuit/characterised_cell.hpp"
#include "netlists/ngspice_settings.hpp"

namespace kirchnet {

/// What to take from a user's file.
struct UserCellChoice {
    std::string subcircuit;         ///< empty: the file has none, and its elements are the cell
    std::vector<std::string> pins;  ///< names of the word line's, bit line's and gate's
    std::string state_parameter;
    double gate_voltage = 0;  ///< [V] above the bit line
};

/// A cell as its user's file describes it, with its place there for messages.
struct UserCellSource {
    struct Line {
        std::size_t number = 0;  ///< in the file, from 1
        std::string text;
    };
    UserCell cell;
    std::string file;
    std::vector<Line> lines;  ///< those that `cell.text` is made of
    /// What was left out: elements, analyses and controls around the subcircuits.
    std::size_t ignored = 0;
};

/// Takes subcircuits, models, parameters and functions out of SPICE text.
/// @param file  name of the text for messages
/// @throws InvalidInput  naming file and line: no such subcircuit, pin or parameter, another number
///                       of pins than given, `.include` and `.lib`, a subcircuit without end
UserCellSource read_user_cell(std::string_view text, const std::string& file,
                              const UserCellChoice& choice);

struct CharacteriseSettings {
    double first_state = 0;  ///< of the range of the state parameter
    double last_state = 1;
    double lowest_voltage = -0.3;  ///< [V]
    double highest_voltage = 0.3;  ///< [V]
    double read_voltage = 0.2;     ///< [V]
    Eigen::Index states = 33;      ///< to begin with; about even over ln of the conductance
    Eigen::Index read_steps = 20;  ///< voltages from 0 to the read voltage, to begin with
    /// Error at held-out places, of the current at the read voltage, at which the table is fine
    /// enough. Until then states and voltages are doubled, as far as that helps.
    double tolerance = 1e-7;
    Eigen::Index most_states = 513;
    Eigen::Index most_read_steps = 160;
    NgspiceSettings ngspice = {.helper = {}, .time_limit_s = 60};  ///< per sweep
};

/// How far the table is from ngspice at states and voltages between its own.
struct TableError {
    Eigen::Index points = 0;
    double largest = 0;          ///< |dI| / |I|
    double rms = 0;              ///< of the same
    double largest_of_read = 0;  ///< |dI| / current at the read voltage
    double worst_state = 0;      ///< where `largest` is
    double worst_voltage = 0;    ///< [V]
};

struct Characterisation {
    CellSurface surface;
    TableError error;
    /// By how much (relative) the current at the read voltage moves when the whole cell is lifted
    /// 10 mV above ground; the table takes it as 0.
    double ground_dependence = 0;
};

/// Runs the cell in ngspice, every state over all voltages up and down, and compares the table with
/// runs at held-out states and voltages: states that the table gives for conductances between its
/// own, so that its inverse is tested as well.
/// @throws InvalidInput  naming file, and line or state and voltage: syntax errors, a cell that
///                       does not converge, does not finish in time, has hysteresis (up and down
///                       differ), falls, does not pass through 0, leaks elsewhere than from word
///                       to bit pin, or whose conductance does not change steadily with the state
/// @throws NgspiceError  when the helper process itself fails
Characterisation characterise(const UserCellSource& source, const CharacteriseSettings& settings);

}  // namespace kirchnet
