#include <cmath>
#include <limits>
#include <sstream>

#include "data/matrix_file.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

using Eigen::MatrixXd;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// r + c/10 - 0.5, 4 x 3, as tests/data/numpy_matrices/make.py computes it.
MatrixXd ramp() {
    MatrixXd matrix(4, 3);
    for (int r = 0; r < 4; ++r)
        for (int c = 0; c < 3; ++c) matrix(r, c) = r + c / 10.0 - 0.5;
    return matrix;
}

/// 10 r + c - 7, 4 x 3.
MatrixXd whole() {
    MatrixXd matrix(4, 3);
    for (int r = 0; r < 4; ++r)
        for (int c = 0; c < 3; ++c) matrix(r, c) = 10 * r + c - 7;
    return matrix;
}

/// Values that need all 17 digits, and the extremes.
MatrixXd awkward() {
    MatrixXd matrix(2, 3);
    matrix << 0.1, 1.0 / 3, -2e-310, infinity, std::numeric_limits<double>::max(),
        4.9406564584124654e-324;
    return matrix;
}

MatrixXd csv(const std::string& text) {
    const TemporaryFolder folder;
    write_file(folder / "m.csv", text);
    return read_matrix(folder / "m.csv");
}

/// What follows the file's name in the refusal.
std::string csv_refusal(const std::string& text) {
    const std::string message = refusal([&] { csv(text); });
    const std::size_t at = message.find("m.csv: ");
    return at == std::string::npos ? message : message.substr(at + 7);
}

std::string numpy_file(const std::string& name) {
    return fixture("numpy_matrices/" + name).string();
}

void check_refused(const std::string& path, const std::string& words) {
    const std::string message = refusal([&] { read_matrix(path); });
    CHECK_MESSAGE(message.find(words) != std::string::npos, message);
}

}  // namespace

TEST_CASE("every format gives back the same doubles") {
    const TemporaryFolder folder;
    for (const char* name : {"m.csv", "m.npy", "m.h5", "m.txt"}) {
        write_matrix(folder / name, awkward(), "S");
        CHECK(read_matrix(folder / name) == awkward());
    }
}

TEST_CASE("CSV has 17 significant digits, one row per line, and its unit in a comment") {
    MatrixXd matrix(2, 2);
    matrix << 0.1, 1e-6, -2, infinity;
    const TemporaryFolder folder;
    write_matrix(folder / "m.csv", matrix, "A");
    const std::string text = "0.10000000000000001,9.9999999999999995e-07\n-2,inf\n";
    CHECK(read_file(folder / "m.csv") == "# unit: A\n" + text);
    std::ostringstream out;
    write_csv(out, matrix);
    CHECK(out.str() == text);
}

TEST_CASE("what people and spreadsheets write as CSV is read") {
    MatrixXd expected(2, 3);
    expected << 1e-4, 2, -3.5, infinity, 0.25, 1;
    CHECK(csv("1e-4,2,-3.5\ninf,.25,+1\n") == expected);
    CHECK(csv("# a note, with a comma\r\n1e-4, 2 ,-3.5\r\n#\r\nInf,0.25,1") == expected);
    CHECK(csv("\xEF\xBB\xBF"
              "1e-4,2,-3.5\n\tinf,.25,1.0\n\n\n") == expected);
    CHECK(csv("\n\n1\n2\n") == (MatrixXd(2, 1) << 1, 2).finished());
}

TEST_CASE("wrong CSV is refused by line and column") {
    CHECK(csv_refusal("1,2\n3,x\n") == "line 2, column 2: 'x' is not a number");
    CHECK(csv_refusal("# note\n1,2\n3,4,5\n") == "line 3 has 3 columns, the lines before have 2");
    CHECK(csv_refusal("1,2\n3\n") == "line 2 has 1 column, the lines before have 2");
    CHECK(csv_refusal("1,nan\n") ==
          "line 1, column 2: 'nan' is not a number (NaN is not accepted)");
    CHECK(csv_refusal("1,,2\n") == "line 1, column 2: '' is empty");
    CHECK(csv_refusal("1,2,\n") == "line 1, column 3: '' is empty");
    CHECK(csv_refusal("1;2\n") == "line 1, column 1: '1;2' is not a number");
    CHECK(csv_refusal("1e999\n") ==
          "line 1, column 1: '1e999' is beyond the range of double precision");
    CHECK(csv_refusal("1k\n") == "line 1, column 1: '1k' is not a number");
    CHECK(csv_refusal("+-1\n") == "line 1, column 1: '+-1' is not a number");
    CHECK(csv_refusal("0x10\n") == "line 1, column 1: '0x10' is not a number");
    CHECK(csv_refusal("1\n\n2\n") == "line 2 is empty");
    CHECK(csv_refusal("") == "holds no numbers");
    CHECK(csv_refusal("# only a note\n\n") == "holds no numbers");
    CHECK(csv_refusal(std::string("1,\0002\n", 5)) == "line 1, column 2: '?2' is not a number");
    CHECK(csv_refusal("g_on,g_off\n1,2\n") == "line 1, column 1: 'g_on' is not a number");
    const TemporaryFolder folder;
    check_refused(folder / "none.csv", "none.csv: no such file");
    check_refused(folder / "", "is a folder");
}

TEST_CASE("NumPy's files are read in every order and type we name") {
    CHECK(read_matrix(numpy_file("c_order_f8.npy")) == ramp());
    CHECK(read_matrix(numpy_file("fortran_order_f8.npy")) == ramp());
    CHECK(read_matrix(numpy_file("fortran_order_f4.npy")) == ramp().cast<float>().cast<double>());
    CHECK(read_matrix(numpy_file("version_2.npy")) == ramp());
    CHECK(read_matrix(numpy_file("c_order_i4.npy")) == whole());
    CHECK(read_matrix(numpy_file("c_order_i8.npy")) == whole());
    CHECK(read_matrix(numpy_file("c_order_u1.npy")) == (whole().array() + 7).matrix());
    CHECK(read_matrix(numpy_file("row.npy")) == ramp().row(1));
}

TEST_CASE("other NumPy files are refused by what they hold") {
    check_refused(numpy_file("complex.npy"), "complex.npy: numbers of type '<c16'");
    check_refused(numpy_file("big_endian.npy"), "numbers of type '>f8'");
    check_refused(numpy_file("three_dimensions.npy"), "shape (4, 3, 1)");
    check_refused(numpy_file("scalar.npy"), "shape ()");
    check_refused(numpy_file("nan.npy"), "row 2, column 1 (from 0) is NaN");
    const TemporaryFolder folder;
    std::string bytes = read_file(numpy_file("c_order_f8.npy"));
    write_file(folder / "long.npy", bytes + "x");
    check_refused(folder / "long.npy", "announces 4 x 3 numbers of 8 bytes but holds 97 bytes");
    bytes[6] = 3;
    write_file(folder / "version.npy", bytes);
    check_refused(folder / "version.npy", ".npy version 3");
    bytes[6] = 1;
    bytes[9] = '\x7f';
    write_file(folder / "header.npy", bytes);
    check_refused(folder / "header.npy", "truncated within its header");
}

TEST_CASE("NumPy reads what we write") {
    const TemporaryFolder folder;
    write_matrix(folder / "m.npy", ramp(), "S");
    write_matrix(folder / "m.h5", ramp(), "S");
    const auto npy = python("a = np.load(sys.argv[1]); print(a.shape, a.dtype, a[3, 1], a[1, 2])",
                            folder / "m.npy");
    if (npy) CHECK(*npy == "(4, 3) float64 2.6 0.7\n");
    const auto h5 = python(
        "m = h5py.File(sys.argv[1])['matrix']\n"
        "print(m.shape, m.dtype, m[3, 1], m[1, 2], m.attrs['units'], m.compression)",
        folder / "m.h5");
    if (h5) CHECK(*h5 == "(4, 3) float64 2.6 0.7 S None\n");
}

TEST_CASE("a matrix of an HDF5 file is found by its path, or as the only one") {
    CHECK(read_matrix(numpy_file("one.h5")) == ramp());
    CHECK(read_matrix(numpy_file("several.h5") + ":/measured/conductance") == ramp());
    CHECK(read_matrix(numpy_file("several.h5") + ":measured/levels") ==
          (whole().array() + 7).matrix());
    CHECK(read_matrix(numpy_file("several.h5") + ":/row") ==
          ramp().row(1).cast<float>().cast<double>());
    check_refused(numpy_file("several.h5"),
                  "holds 3 data sets (/measured/conductance, /measured/levels, /row): say which");
    check_refused(numpy_file("several.h5") + ":/words", "several.h5:/words: holds text");
    check_refused(numpy_file("several.h5") + ":/nothing", "/nothing: data set is missing");
    check_refused(numpy_file("several.h5") + ":/measured", "/measured: is not a data set");
    check_refused(fixture("h5py_files/images.h5").string() + ":/test/pixels",
                  "/test/pixels: has shape 2x3x4x2, a matrix is needed");
}
