#include "perform/parts.h"

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/read_blob.h"
#include "base/json.h"
#include "block/values.h"
#include "holdfast/failure.h"
#include "perform/block_books.h"

namespace holdfast::flows {

using agent::read_blob;
using agent::require;

platform::Blob keep_blob(activity::Context& ctx, const agent::Deps& deps, std::string_view bytes,
                         std::string_view run) {
  platform::BlobWrite write;
  write.run = run.empty() ? ctx.info().workflow_id : std::string(run);
  write.conversation = write.run;
  write.media_type = "application/json";
  write.bytes = bytes;
  ctx.heartbeat();
  auto kept = deps.store->put_blob(write);
  if (!kept && kept.error().code() == Code::kResourceExhausted)
    throw TooLarge(std::string(kept.error().message()));
  return require(std::move(kept), "keeping a large result");
}

// ---- lists as text

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Behind the value that begins at `at`: at the comma or bracket that ends it.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  for (bool in_string = false; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (depth == 0 && (c == ',' || c == ']')) {
      break;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return at;
}

}  // namespace

bool is_list(std::string_view json) {
  return trimmed(json).starts_with('[');
}

std::vector<std::string_view> elements_of(std::string_view list) {
  list = trimmed(list);
  std::vector<std::string_view> out;
  if (!list.starts_with('[')) return out;
  for (std::size_t at = 1; at < list.size();) {
    const std::size_t end = std::min(end_of_value(list, at), list.size());
    const std::string_view one = trimmed(list.substr(at, end - at));
    if (!one.empty()) out.push_back(one);
    at = end + 1;
  }
  return out;
}

// ---- records

Piece kept_value(activity::Context& ctx, const agent::Deps& deps, const std::string& value,
                 std::string_view run) {
  Piece out;
  out.items = 1;
  out.bytes = value.size();
  if (value.size() > kMaxKeptInline)
    out.sha256 = keep_blob(ctx, deps, value, run).sha256;
  else
    out.text = value;
  return out;
}

Json piece_json(const Piece& piece) {
  Json out = {{"items", piece.items}};
  if (piece.sha256.empty()) {
    out["text"] = piece.text;
  } else {
    out["sha256"] = piece.sha256;
    out["bytes"] = piece.bytes;
  }
  return out;
}

Piece piece_of(const Json& in) {
  Piece out;
  out.text = in.value("text", "");
  out.sha256 = in.value("sha256", "");
  out.bytes = out.sha256.empty() ? out.text.size() : in.value("bytes", std::size_t{0});
  out.items = in.value("items", std::size_t{0});
  return out;
}

namespace {

Json part_json(const Part& part) {
  Json out = {{"items", part.items}, {"errors", part.errors}, {"pieces", Json::array()}};
  for (const Piece& one : part.pieces) out["pieces"].push_back(piece_json(one));
  if (part.over) out["over"] = true;
  if (!part.failed.empty()) out["failed"] = part.failed;
  if (!part.log.empty()) out["log"] = part.log;
  if (part.failure) {
    out["failure"] = {
        {"index", part.failure->index}, {"type", part.failure->type}, {"message", part.failure->message}};
  }
  return out;
}

Part part_of(const Json& in) {
  Part out;
  out.items = in.value("items", std::size_t{0});
  out.errors = in.value("errors", std::size_t{0});
  out.over = in.value("over", false);
  out.failed = in.value("failed", std::vector<std::uint64_t>());
  out.log = in.value("log", "");
  for (const Json& one : in.at("pieces")) out.pieces.push_back(piece_of(one));
  if (const auto failure = in.find("failure"); failure != in.end()) {
    fail_part(out, failure->value("index", std::uint64_t{0}),
              {failure->value("type", ""), failure->value("message", "")});
  }
  return out;
}

Json read_record(const std::string& text) {
  Json out = parse_json(text);
  if (!out.is_object())
    throw ApplicationFailure::non_retryable("the record of a map or loop cannot be read", "DATA_LOSS");
  return out;
}

std::string part_key(const std::string& key, std::uint32_t part) {
  return fmt::format("part:{}:{}", key, part);
}

}  // namespace

void fail_part(Part& part, std::uint64_t index, BlockFailure failure) {
  PartFailure& one = part.failure.emplace();
  one.index = index;
  one.type = std::move(failure.type);
  one.message = std::move(failure.message);
}

Json PartsSummary::json() const {
  return {{"parts", parts}, {"items", items}, {"errors", errors}, {"bytes", bytes}};
}

PartsSummary PartsSummary::of(std::string_view text) {
  const Json in = read_record(std::string(text));
  PartsSummary out;
  out.parts = in.value("parts", std::size_t{0});
  out.items = in.value("items", std::size_t{0});
  out.errors = in.value("errors", std::size_t{0});
  out.bytes = in.value("bytes", std::size_t{0});
  return out;
}

std::optional<Json> PartBooks::begun(const std::string& key) {
  const auto step = require(deps_.store->lookup_step("each:" + key), "looking up a map or loop");
  if (!step) return std::nullopt;
  return read_record(step->result);
}

Json PartBooks::begun_already(const std::string& key) {
  auto out = begun(key);
  if (!out) throw ApplicationFailure::non_retryable("a map or loop was not begun", "DATA_LOSS");
  return *std::move(out);
}

Json PartBooks::begin(const std::string& key, const Json& record) {
  platform::StepWrite write;
  write.key = "each:" + key;
  write.run = ctx_.info().workflow_id;
  write.result = dump_json(record);
  return read_record(require(deps_.store->commit_step(write), "storing a map or loop").result);
}

std::optional<Part> PartBooks::find(const std::string& key, std::uint32_t part) {
  const auto step = require(deps_.store->lookup_step(part_key(key, part)), "looking up a part");
  if (!step) return std::nullopt;
  return part_of(read_record(step->result));
}

void PartBooks::write(const std::string& key, std::uint32_t part, const Part& what,
                      const std::vector<platform::Told>& tells) {
  platform::StepWrite write;
  write.key = part_key(key, part);
  write.run = ctx_.info().workflow_id;
  write.result = dump_json(part_json(what));
  require(deps_.outbox->commit_step(write, tells), "storing a part");
}

Part PartBooks::adopted(Part from) {
  for (const Piece& piece : from.pieces) {
    if (!piece.sha256.empty()) keep_blob(ctx_, deps_, text_of(piece));
  }
  return from;
}

std::string PartBooks::text_of(const Piece& piece) {
  return piece.sha256.empty() ? piece.text : read_blob(ctx_, *deps_.store, piece.sha256, 0, piece.bytes);
}

std::string PartBooks::list(const std::string& key, const PartsSummary& summary, std::string_view id) {
  if (summary.bytes > kMaxValueBytes) {
    throw TooLarge(
        fmt::format("the results of `{}` have {} bytes, and one value {} at most; take them item by "
                    "item, in a map over {{{{ blocks.{} }}}}",
                    id, summary.bytes, kMaxValueBytes, id));
  }
  std::string out = "[";
  for (std::uint32_t i = 0; i < summary.parts; ++i) {
    const auto part = find(key, i);
    if (!part) throw ApplicationFailure::non_retryable("a part of a map is gone", "NOT_FOUND");
    for (const Piece& piece : part->pieces) {
      const std::string text = text_of(piece);
      if (piece.items == 0) continue;
      if (out.size() > 1) out += ',';
      out.append(text, 1, text.size() - 2);
    }
  }
  return out + "]";
}

// ---- pieces

void PieceWriter::add(std::string_view value) {
  text_ += text_.empty() ? '[' : ',';
  text_ += value;
  ++items_;
  if (text_.size() >= kPieceBytes) flush();
}

void PieceWriter::flush() {
  if (items_ == 0) return;
  text_ += ']';
  Piece& piece = pieces_.emplace_back();
  piece.items = items_;
  piece.bytes = text_.size();
  if (text_.size() > kMaxKeptInline)
    piece.sha256 = keep_blob(ctx_, deps_, text_, run_).sha256;
  else
    piece.text = text_;
  text_.clear();
  items_ = 0;
}

std::vector<Piece> PieceWriter::finish() {
  flush();
  return std::move(pieces_);
}

void ResultReader::more() {
  while (pieces_.empty()) {
    const auto part = books_.find(key_, part_++);
    if (!part) throw ApplicationFailure::non_retryable("a part of a map is gone", "NOT_FOUND");
    for (const Piece& piece : part->pieces) {
      if (pieces_.empty() && skip_ >= piece.items)
        skip_ -= piece.items;
      else
        pieces_.push_back(piece);
    }
  }
  text_ = books_.text_of(pieces_.front());
  pieces_.pop_front();
  const auto all = elements_of(text_);
  items_.assign(all.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(skip_, all.size())),
                all.end());
  skip_ = 0;
}

std::string ResultReader::next() {
  while (items_.empty()) more();
  std::string out(items_.front());
  items_.pop_front();
  return out;
}

}  // namespace holdfast::flows
