#include "wire/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::rpc {
namespace {

constexpr std::size_t kChunkBytes = 64 << 10;
constexpr int kGzipOnly = 16 + MAX_WBITS;

struct EndInflate {
  void operator()(z_stream* stream) const { ::inflateEnd(stream); }
};

Status broken() {
  return {Code::kInvalidArgument, "the request is compressed, but not as gzip"};
}

}  // namespace

bool is_gzip(const grpc::ByteBuffer& bytes) {
  if (bytes.Length() < 2) return false;
  grpc::Slice one;
  // Nearly every message: one slice, and not marked as compressed.
  if (bytes.TrySingleSlice(&one).ok()) return false;
  std::vector<grpc::Slice> slices;
  if (!bytes.Dump(&slices).ok()) return false;
  std::string begin;
  for (const grpc::Slice& slice : slices) {
    begin.append(reinterpret_cast<const char*>(slice.begin()), std::min<std::size_t>(slice.size(), 2));
    if (begin.size() >= 2) break;
  }
  return begin.starts_with("\x1F\x8B");
}

Status unpack_gzip(grpc::ByteBuffer& bytes, std::size_t most) {
  std::vector<grpc::Slice> packed;
  if (!bytes.Dump(&packed).ok()) return broken();
  z_stream stream{};
  if (::inflateInit2(&stream, kGzipOnly) != Z_OK) return broken();
  const std::unique_ptr<z_stream, EndInflate> ends(&stream);
  std::vector<grpc::Slice> unpacked;
  std::size_t total = 0;
  int state = Z_OK;
  std::string chunk(kChunkBytes, '\0');
  stream.avail_out = static_cast<uInt>(chunk.size());
  for (const grpc::Slice& slice : packed) {
    stream.next_in = const_cast<Bytef*>(slice.begin());
    stream.avail_in = static_cast<uInt>(slice.size());
    while (state != Z_STREAM_END && (stream.avail_in > 0 || stream.avail_out == 0)) {
      stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
      stream.avail_out = static_cast<uInt>(chunk.size());
      state = ::inflate(&stream, Z_NO_FLUSH);
      if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) return broken();
      const std::size_t made = chunk.size() - stream.avail_out;
      total += made;
      if (total > most) {
        return {Code::kResourceExhausted, "Received message larger than max (more than " +
                                              std::to_string(most) + " bytes when unpacked)"};
      }
      if (made > 0) unpacked.emplace_back(chunk.data(), made);
    }
    if (stream.avail_in > 0) return broken();  // something follows
  }
  if (state != Z_STREAM_END) return broken();
  bytes = grpc::ByteBuffer(unpacked.data(), unpacked.size());
  return {};
}

}  // namespace holdfast::rpc
