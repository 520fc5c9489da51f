#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "data/atomic_file.hpp"
#include "data/matrix_file.hpp"
#include "data/network_file.hpp"
#include "support.hpp"

namespace fs = std::filesystem;
using namespace kirchnet;
using namespace kirchnet::test;

namespace {

std::string file_error(const auto& action) {
    try {
        action();
    } catch (const FileError& problem) {
        return problem.what();
    }
    FAIL_CHECK("no FileError");
    return "";
}

/// Lets no file grow past `bytes`: what a full disk does, without filling one.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    rlimit before_{};
    void (*handler_)(int) = SIG_DFL;
};

}  // namespace

TEST_CASE("a file appears under its name only when it is committed") {
    const TemporaryFolder folder;
    SUBCASE("committed") {
        AtomicFile file(folder / "a.txt");
        file.write("one ");
        CHECK(!fs::exists(folder / "a.txt"));
        file.write("two");
        file.commit();
        CHECK(read_file(folder / "a.txt") == "one two");
    }
    SUBCASE("dropped, leaving what was there before") {
        write_file(folder / "a.txt", "before");
        { AtomicFile(folder / "a.txt").write("half"); }
        CHECK(read_file(folder / "a.txt") == "before");
    }
    CHECK(folder.entries() == 1);
}

TEST_CASE("a temporary name that somebody else holds is left alone") {
    // As a process of the same number in another container would have it.
    const TemporaryFolder folder;
    const std::string stem = (folder / "a.txt").string() + "." + std::to_string(::getpid()) + "-";
    std::vector<std::string> taken;
    for (int i = 0; i < 2000; ++i) {
        taken.push_back(stem + std::to_string(i) + ".tmp");
        write_file(taken.back(), "theirs");
    }
    write_text_atomically(folder / "a.txt", "ours", Durability::renamed);
    CHECK(read_file(folder / "a.txt") == "ours");
    for (const std::string& path : taken) CHECK(read_file(path) == "theirs");
}

TEST_CASE("a link is written through and stays a link") {
    const TemporaryFolder folder;
    write_file(folder / "target", "before");
    fs::create_symlink(folder / "target", folder / "link");
    write_text_atomically(folder / "link", "after");
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(read_file(folder / "target") == "after");
}

TEST_CASE("an unwritable place is a FileError that names path and reason") {
    const TemporaryFolder folder;
    write_file(folder / "file", "");
    SUBCASE("below a regular file") {
        const fs::path path = folder / "file" / "net.h5";
        CHECK(file_error([&] { write_network(path, small_network()); }) ==
              path.string() + ": cannot be written: Not a directory");
    }
    SUBCASE("a folder that does not exist") {
        const fs::path path = folder / "nowhere" / "a.csv";
        CHECK(file_error([&] { write_matrix(path, Eigen::MatrixXd::Ones(1, 1), "S"); }) ==
              path.string() + ": cannot be written: No such file or directory");
    }
    SUBCASE("a folder") {
        CHECK(file_error([&] {
                  write_text_atomically(folder / ".", "text");
              }).ends_with("Is a directory"));
    }
}

TEST_CASE("a full disk is a FileError and leaves no file") {
    const TemporaryFolder folder;
    SUBCASE("device without space") {
        for (const char* ending : {"", ".csv"}) {
            const fs::path path = folder / (std::string("full") + ending);
            fs::create_symlink("/dev/full", path);
            CHECK(file_error([&] {
                      write_text_atomically(path, "text");
                  }).ends_with("cannot be written: No space left on device"));
            CHECK(file_error([&] {
                      write_network(path, small_network());
                  }).ends_with("cannot be written: No space left on device"));
        }
        CHECK(fs::is_character_file("/dev/full"));
        CHECK(folder.entries() == 2);
    }
    SUBCASE("limit met halfway") {
        write_file(folder / "net.h5", "before");
        {
            const FileSizeLimit limit(3000);
            CHECK(file_error([&] {
                      write_network(folder / "net.h5", small_network());
                  }).ends_with("cannot be written: File too large"));
        }
        CHECK(read_file(folder / "net.h5") == "before");
        CHECK(folder.entries() == 1);
    }
}
