#include <doctest/doctest.h>

#include "circuit/crossbar.hpp"
#include "circuit/elements.hpp"
#include "circuit/ideal_solver.hpp"
#include "circuit/tile.hpp"
#include "circuit/units.hpp"
