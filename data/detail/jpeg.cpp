#include "data/detail/jpeg.hpp"

#include <fmt/format.h>

// jpeglib.h needs size_t and FILE declared before it.
#include <cstddef>
#include <cstdio>
//
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>

#include "circuit/error.hpp"
#include "data/detail/decompression.hpp"

namespace kirchnet {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t largest_file = 64U << 20U;  // [bytes]
constexpr std::size_t most_pixels = 64'000'000;   // larger than cameras make
constexpr int most_scans = 200;                   // encoders write about ten
constexpr unsigned int fatal_warnings[] = {JWRN_HIT_MARKER, JWRN_JPEG_EOF, JWRN_HUFF_BAD_CODE,
                                           JWRN_MUST_RESYNC};  // pixels would be guesses

/// libjpeg's way out of an error. It is a C library: exceptions may not pass through it.
struct ErrorState {
    jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
    std::jmp_buf escape;
    char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr info) {
    auto* state = reinterpret_cast<ErrorState*>(info->err);
    (*info->err->format_message)(info, state->message);
    std::longjmp(state->escape, 1);
}

void judge_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    for (const unsigned int code : fatal_warnings)
        if (info->err->msg_code == static_cast<int>(code)) leave(info);
}

/// A small file may announce scans without end.
void bound_scans(j_common_ptr info) {
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= most_scans) return;
    info->err->msg_code = JERR_BAD_PROGRESSION;
    leave(info);
}

/// One image on its way. Functions that call libjpeg hold nothing that needs a destructor, for
/// `leave` jumps over them.
class Decoder {
  public:
    explicit Decoder(const Bytes& bytes) : bytes_(bytes) {
        info_.err = jpeg_std_error(&error_.manager);
        error_.manager.error_exit = leave;
        error_.manager.emit_message = judge_message;
        error_.message[0] = '\0';
        progress_.progress_monitor = bound_scans;
    }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    ~Decoder() { jpeg_destroy_decompress(&info_); }

    [[nodiscard]] bool read_header() {
        if (setjmp(error_.escape) != 0) return false;
        jpeg_create_decompress(&info_);
        info_.progress = &progress_;
        jpeg_mem_src(&info_, bytes_.data(), static_cast<unsigned long>(bytes_.size()));
        return jpeg_read_header(&info_, TRUE) == JPEG_HEADER_OK;
    }

    /// @param out  [height × width × 3]
    [[nodiscard]] bool read_pixels(std::uint8_t* out) {
        if (setjmp(error_.escape) != 0) return false;
        info_.out_color_space = JCS_RGB;
        info_.dct_method = JDCT_ISLOW;
        info_.do_fancy_upsampling = TRUE;
        jpeg_start_decompress(&info_);
        while (info_.output_scanline < info_.output_height) {
            JSAMPROW row = out + std::size_t{info_.output_scanline} * info_.output_width * 3;
            jpeg_read_scanlines(&info_, &row, 1);
        }
        return jpeg_finish_decompress(&info_) == TRUE;
    }

    [[nodiscard]] std::size_t width() const { return info_.image_width; }
    [[nodiscard]] std::size_t height() const { return info_.image_height; }
    [[nodiscard]] bool is_cmyk() const {
        return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    }
    [[nodiscard]] std::string message() const { return error_.message; }

  private:
    const Bytes& bytes_;
    jpeg_decompress_struct info_{};
    ErrorState error_{};
    jpeg_progress_mgr progress_{};
};

void check_header(const fs::path& path, const Decoder& decoder) {
    if (decoder.is_cmyk()) throw InvalidInput(path.string(), "is a CMYK image; convert it to RGB");
    if (decoder.width() * decoder.height() > most_pixels)
        throw InvalidInput(path.string(),
                           fmt::format("is {} x {} pixels, more than {} in all", decoder.width(),
                                       decoder.height(), most_pixels));
}

}  // namespace

RgbImage read_jpeg(const fs::path& path) {
    const Bytes bytes = read_whole(path, largest_file);
    Decoder decoder(bytes);
    if (!decoder.read_header())
        throw InvalidInput(path.string(), "is no JPEG image: " + decoder.message());
    check_header(path, decoder);
    const std::size_t size = decoder.width() * decoder.height();
    std::vector<std::uint8_t> interleaved(3 * size);
    if (!decoder.read_pixels(interleaved.data()))
        throw InvalidInput(path.string(), "is damaged or truncated: " + decoder.message());
    RgbImage image{decoder.width(), decoder.height(), std::vector<std::uint8_t>(3 * size)};
    for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t i = 0; i < size; ++i) image.pixels[c * size + i] = interleaved[3 * i + c];
    return image;
}

}  // namespace kirchnet
