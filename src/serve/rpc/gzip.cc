#include "rpc/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <memory>

namespace holdfast::rpc {
namespace {

constexpr std::size_t kChunkBytes = 64 << 10;
constexpr int kGzipOnly = 16 + MAX_WBITS;

struct EndInflate {
  void operator()(z_stream* stream) const { ::inflateEnd(stream); }
};

}  // namespace

Result<std::string> unpack_gzip(std::string_view packed, std::size_t most) {
  const auto broken = [] {
    return fail(Code::kInvalidArgument, "the request is compressed, but not as gzip");
  };
  z_stream stream{};
  if (::inflateInit2(&stream, kGzipOnly) != Z_OK) return broken();
  const std::unique_ptr<z_stream, EndInflate> ends(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string result;
  std::string chunk(kChunkBytes, '\0');
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    state = ::inflate(&stream, Z_NO_FLUSH);
    // Z_BUF_ERROR: it goes on behind the bytes that there are.
    if (state != Z_OK && state != Z_STREAM_END) return broken();
    const std::size_t made = chunk.size() - stream.avail_out;
    if (result.size() + made > most) {
      return fail(Code::kResourceExhausted,
                  fmt::format("Received message larger than max (more than {} bytes when unpacked)", most));
    }
    result.append(chunk, 0, made);
  }
  if (stream.avail_in > 0) return broken();  // something follows
  return result;
}

}  // namespace holdfast::rpc
