#include "monty/result.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "holdfast/monty/v1/worker.pb.h"
#include "monty/arena.h"

namespace holdfast::sandbox {

namespace {

namespace pb = holdfast::monty::v1;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr int kMostDepth = 100;
constexpr std::size_t kMostPathBytes = 512;

// In decimal, of at most kMostIntegerDigits digits.
std::optional<std::string> decimal(std::string_view magnitude) {
  constexpr std::uint64_t kPiece = 1'000'000'000;
  constexpr std::size_t kMostBytes = 125;  // 300 digits, of which the most are told apart below
  while (magnitude.starts_with('\0')) magnitude.remove_prefix(1);
  if (magnitude.size() > kMostBytes) return std::nullopt;
  std::vector<std::uint32_t> pieces;  // the least significant first
  for (const char byte : magnitude) {
    std::uint64_t carry = static_cast<unsigned char>(byte);
    for (std::uint32_t& piece : pieces) {
      carry += std::uint64_t{piece} * 256;
      piece = static_cast<std::uint32_t>(carry % kPiece);
      carry /= kPiece;
    }
    if (carry > 0) pieces.push_back(static_cast<std::uint32_t>(carry));
  }
  if (pieces.empty()) return "0";
  std::string out = std::to_string(pieces.back());
  for (auto piece = pieces.rbegin() + 1; piece != pieces.rend(); ++piece) out += fmt::format("{:09}", *piece);
  return out.size() > kMostIntegerDigits ? std::nullopt : std::optional(std::move(out));
}

// How what JSON does not have is called, and what to return in its place.
struct Foreign {
  std::string_view type;
  std::string_view instead;
};

Foreign foreign(pb::Node::KindCase kind) {
  switch (kind) {
    case pb::Node::kSet: return {"set", "return list(it)"};
    case pb::Node::kFrozenSet: return {"frozenset", "return list(it)"};
    case pb::Node::kRaw: return {"bytes", "return it.decode() or base64"};
    case pb::Node::kDecimal: return {"Decimal", "return str(it)"};
    case pb::Node::kDate: return {"date", "return it.isoformat()"};
    case pb::Node::kTime: return {"time", "return it.isoformat()"};
    case pb::Node::kDatetime: return {"datetime", "return it.isoformat()"};
    case pb::Node::kTimedelta: return {"timedelta", "return it.total_seconds()"};
    case pb::Node::kPath: return {"Path", "return str(it)"};
    case pb::Node::kClassInstance: return {"a class of the code", "return a dict of what it holds"};
    case pb::Node::kType: return {"type", ""};
    case pb::Node::kComplex: return {"complex", "return [it.real, it.imag]"};
    case pb::Node::kException: return {"Exception", "return str(it)"};
    default: return {"no value that is data", ""};
  }
}

class Writer {
 public:
  Writer(std::string_view arena, std::size_t most) : arena_(arena), most_(most) {}

  Status write(std::uint32_t root) {
    if (!find_nodes() || root >= nodes_.size()) broken_ = true;
    if (!broken_) write_node(root, 1);
    if (broken_) return {Code::kDataLoss, "Monty answered with what is no value"};
    return {};
  }
  std::string take() { return std::move(out_); }
  std::optional<Failure>& failure() { return failure_; }

 private:
  bool find_nodes() {
    CodedInputStream in(reinterpret_cast<const std::uint8_t*>(arena_.data()),
                        static_cast<int>(arena_.size()));
    constexpr std::uint32_t kNodesTag = (2 << 3) | 2;
    while (true) {
      const std::uint32_t tag = in.ReadTag();
      if (tag == 0) return in.ConsumedEntireMessage();
      if (tag != kNodesTag) {
        if (!WireFormatLite::SkipField(&in, tag)) return false;
        continue;
      }
      nodes_.push_back(static_cast<std::uint32_t>(in.CurrentPosition()));
      std::uint32_t size = 0;
      // A node of nothing is none: it would be many for few bytes.
      if (!in.ReadVarint32(&size) || size < 2 || !in.Skip(static_cast<int>(size))) return false;
    }
  }
  bool read_node(std::uint32_t index, pb::Node& node) const {
    const std::string_view from = arena_.substr(nodes_[index]);
    CodedInputStream in(reinterpret_cast<const std::uint8_t*>(from.data()), static_cast<int>(from.size()));
    std::uint32_t size = 0;
    if (!in.ReadVarint32(&size)) return false;
    return node.ParseFromArray(from.data() + in.CurrentPosition(), static_cast<int>(size));
  }

  // False: it is over, by a failure or because it is no Arena.
  bool put(std::string_view text) {
    if (out_.size() + text.size() > most_)
      return refuse(Fault::kOutput, fmt::format("its result is longer than {} bytes", most_));
    out_ += text;
    return true;
  }
  bool refuse(Fault fault, std::string message) {
    failure_ = Failure{fault, "", std::move(message)};
    return false;
  }
  bool no_json(std::string_view what) {
    std::string path;
    for (const std::string& step : path_) {
      if (path.size() + step.size() <= kMostPathBytes) path += step;
    }
    if (path.starts_with('.')) path.erase(0, 1);
    return refuse(Fault::kResult,
                  fmt::format("the result{}{} {}", path.empty() ? "" : "'s ", to_utf8(path), what));
  }

  bool write_node(std::uint32_t index, int depth) {
    pb::Node node;
    if (!read_node(index, node)) {
      broken_ = true;
      return false;
    }
    if (depth > kMostDepth) {
      return refuse(Fault::kResult,
                    fmt::format("the result nests deeper than {} levels, or holds itself", kMostDepth));
    }
    switch (node.kind_case()) {
      case pb::Node::kNone: return put("null");
      case pb::Node::kBoolean: return put(node.boolean() ? "true" : "false");
      case pb::Node::kInteger: return put(std::to_string(node.integer()));
      case pb::Node::kLargeInteger: return write_large(node.large_integer());
      case pb::Node::kNumber: return write_number(node.number());
      case pb::Node::kText: return put(dump_json(nlohmann::json(node.text())));
      case pb::Node::kList: return write_list(node.list().items(), index, depth);
      case pb::Node::kTuple: return write_list(node.tuple().items(), index, depth);
      case pb::Node::kNamedTuple: return write_list(node.named_tuple().values(), index, depth);
      case pb::Node::kDict: return write_dict(node.dict(), index, depth);
      case pb::Node::kCycle:
        return refuse(Fault::kResult,
                      fmt::format("the result nests deeper than {} levels, or holds itself", kMostDepth));
      case pb::Node::KIND_NOT_SET: broken_ = true; return false;
      default: {
        const Foreign one = foreign(node.kind_case());
        return no_json(fmt::format("is of type {}, which JSON does not have{}{}", one.type,
                                   one.instead.empty() ? "" : ": ", one.instead));
      }
    }
  }

  bool write_large(const pb::LargeInteger& value) {
    const auto digits = decimal(value.magnitude());
    if (!digits)
      return no_json(fmt::format("is an integer of more than {} digits; return str(it)", kMostIntegerDigits));
    return put((value.negative() ? "-" : "") + *digits);
  }

  bool write_number(double value) {
    if (std::isnan(value)) return no_json("is NaN, which JSON does not have");
    if (std::isinf(value)) return no_json("is infinite, which JSON does not have");
    return put(dump_json(nlohmann::json(value)));
  }

  // A node names only those before it, so none holds itself.
  bool write_part(std::uint32_t part, std::uint32_t holder, int depth, std::string step) {
    if (part >= holder) {
      broken_ = true;
      return false;
    }
    path_.push_back(std::move(step));
    const bool written = write_node(part, depth + 1);
    path_.pop_back();
    return written;
  }

  bool write_list(const google::protobuf::RepeatedField<std::uint32_t>& items, std::uint32_t index,
                  int depth) {
    if (!put("[")) return false;
    for (int i = 0; i < items.size(); ++i) {
      if (i > 0 && !put(",")) return false;
      if (!write_part(items[i], index, depth, fmt::format("[{}]", i))) return false;
    }
    return put("]");
  }

  bool write_dict(const pb::Pairs& dict, std::uint32_t index, int depth) {
    if (!put("{")) return false;
    bool is_first = true;
    for (const pb::Pair& pair : dict.pairs()) {
      pb::Node key;
      if (pair.key() >= index || !read_node(pair.key(), key)) {
        broken_ = true;
        return false;
      }
      if (key.kind_case() != pb::Node::kText)
        return no_json("has a key that is no text; keys are text in JSON: use str(key)");
      if (!put((is_first ? "" : ",") + dump_json(nlohmann::json(key.text())) + ":")) return false;
      is_first = false;
      if (!write_part(pair.value(), index, depth, "." + std::string(cut_text(key.text(), 64)))) return false;
    }
    return put("}");
  }

  const std::string_view arena_;
  const std::size_t most_;
  std::vector<std::uint32_t> nodes_;  // where each begins
  std::vector<std::string> path_;     // to where it writes
  std::string out_;
  std::optional<Failure> failure_;
  bool broken_ = false;
};

}  // namespace

Status write_result(std::string_view arena, std::uint32_t root, std::size_t most_bytes, Reply& reply) {
  Writer writer(arena, most_bytes);
  if (Status status = writer.write(root); !status.ok()) return status;
  if (writer.failure()) {
    reply.failure = std::move(writer.failure());
  } else {
    reply.result = writer.take();
  }
  return {};
}

}  // namespace holdfast::sandbox
