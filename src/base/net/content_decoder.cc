#include "net/content_decoder.h"

#include "base/ascii.h"
#include "base/check.h"
#include "base/text.h"

namespace holdfast::net {

namespace {

constexpr std::size_t kPieceBytes = 64 << 10;

// What zlib is told of the bits of its window: which frame stands around the data.
constexpr int kGzipFrame = 15 + 16;
constexpr int kZlibFrame = 15;
constexpr int kNoFrame = -15;

// The two bytes with which zlib's frame begins (RFC 1950, section 2.2). RFC 9110 asks for it; some servers
// send the bare data all the same.
bool is_zlib_frame(std::string_view first) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(first[i])); };
  return (at(0) & 0x0f) == 8 && (at(0) * 256 + at(1)) % 31 == 0;
}

}  // namespace

std::expected<std::unique_ptr<ContentDecoder>, std::string> ContentDecoder::of(std::string_view coding) {
  const std::string name = ascii_lower(coding);
  if (name.empty() || name == "identity") return nullptr;
  const bool gzip = name == "gzip" || name == "x-gzip";
  if (!gzip && name != "deflate") {
    return std::unexpected("packed its body with " + to_utf8(cut_text(name, 40)) +
                           ", which was not asked for; gzip and deflate are read");
  }
  return std::unique_ptr<ContentDecoder>(new ContentDecoder(gzip ? Coding::kGzip : Coding::kDeflate));
}

ContentDecoder::ContentDecoder(Coding coding) : coding_(coding), room_(kPieceBytes, '\0') {}

ContentDecoder::~ContentDecoder() {
  if (open_) ::inflateEnd(&stream_);
}

std::string ContentDecoder::said(std::string_view what) const {
  return std::string("the body is packed with ") + (coding_ == Coding::kGzip ? "gzip" : "deflate") +
         ", and " + std::string(what);
}

bool ContentDecoder::broken(std::string_view why) {
  defect_ = said(why);
  return false;
}

void ContentDecoder::begin(std::string_view first) {
  int frame = kGzipFrame;
  if (coding_ == Coding::kDeflate) frame = is_zlib_frame(first) ? kZlibFrame : kNoFrame;
  HF_CHECK(::inflateInit2(&stream_, frame) == Z_OK);
  open_ = true;
}

bool ContentDecoder::add(std::string_view packed, const Sink& sink) {
  if (!defect_.empty()) return false;
  std::string joined;
  if (!open_) {
    if (held_.size() + packed.size() < 2) {
      held_ += packed;
      return true;
    }
    joined = held_ + std::string(packed);
    packed = joined;
    begin(packed);
  }
  // zlib does not change what it reads.
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream_.avail_in = static_cast<uInt>(packed.size());
  for (;;) {
    if (ended_) {
      if (stream_.avail_in == 0) return true;
      // Several gzip streams behind each other are one body (RFC 1952, section 2.2).
      if (coding_ != Coding::kGzip || ::inflateReset(&stream_) != Z_OK)
        return broken("goes on behind its end");
      ended_ = false;
    }
    stream_.next_out = reinterpret_cast<Bytef*>(room_.data());
    stream_.avail_out = static_cast<uInt>(room_.size());
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return broken("cannot be unpacked");
    const std::size_t bytes = room_.size() - stream_.avail_out;
    if (bytes > 0 && !sink(std::string_view(room_).substr(0, bytes))) return false;
    ended_ = code == Z_STREAM_END;
    if (!ended_ && stream_.avail_out > 0) return true;  // it wants to see what follows
  }
}

std::string ContentDecoder::defect_at_end() const {
  if (!defect_.empty()) return defect_;
  const bool begun = open_ || !held_.empty();
  if (!begun || ended_) return {};
  return said("is cut off");
}

}  // namespace holdfast::net
