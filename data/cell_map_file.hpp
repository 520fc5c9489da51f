#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "circuit/tile.hpp"

namespace kirchnet {

/// One row of a cell map: which cell, what it holds, what it conducts.
struct CellRow {
    Index tile_row = 0;
    Index tile_column = 0;
    CellMeaning cell;
};

/// A map of cells while it is written, a tile at a time: no more than a layer is in memory. `.h5`
/// keeps a group per layer with a data set per column; anything else is CSV with a heading line.
/// The columns are those of docs/formats.md.
class CellMapWriter {
  public:
    /// @throws FileError  when no file can be made there
    explicit CellMapWriter(const std::filesystem::path& path);
    CellMapWriter(const CellMapWriter&) = delete;
    CellMapWriter& operator=(const CellMapWriter&) = delete;
    ~CellMapWriter();

    /// Rows of one layer, which come one after another.
    /// @param scale  max|W| of the layer: weights are given in the network's own unit
    void add(const std::string& layer, double scale, const std::vector<CellRow>& rows);
    /// Gives the file its name; without it nothing stays behind.
    void finish();

  private:
    class Sink;
    class Csv;
    class Hdf5;
    std::unique_ptr<Sink> sink_;
};

}  // namespace kirchnet
