#pragma once

namespace kirchnet {

/// A 1T1R cell's access transistor as the resistance it has when it is on, in series with each
/// ohmic memory element: of an element g the cell as a whole shows g / (1 + g R).
struct AccessResistance {
    double resistance = 0;      ///< R [ohm]; 0: none
    bool precompensate = true;  ///< elements are programmed to G / (1 - G R), so that cells show
                                ///< their target G; otherwise to G itself

    [[nodiscard]] bool is_there() const { return resistance > 0; }
    /// What a cell shows [S] whose memory element conducts `element`.
    [[nodiscard]] double seen(double element) const { return element / (1 + element * resistance); }
    /// What the element conducts [S] of a cell that shows `seen`; inverse of `seen`.
    [[nodiscard]] double behind(double seen) const { return seen / (1 - seen * resistance); }
    /// To what the element of a cell of this target is programmed [S].
    [[nodiscard]] double element_for(double target) const {
        return precompensate ? behind(target) : target;
    }
    /// What a working cell of this target shows [S]: the target itself where it is compensated.
    [[nodiscard]] double cell_for(double target) const {
        return precompensate || !is_there() ? target : seen(target);
    }
    friend bool operator==(const AccessResistance&, const AccessResistance&) = default;
};

/// @param largest_target  [S]
/// @throws InvalidInput  unless the resistance is finite and not negative, and, where elements are
///                       compensated, less than 1 / largest_target
void check(const AccessResistance& access, double largest_target);

}  // namespace kirchnet
