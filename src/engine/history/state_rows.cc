#include "history/state_rows.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <utility>

namespace holdfast::history {
namespace {

using google::protobuf::internal::WireFormatLite;

// Beside itself: its places in the table and in the indexes.
constexpr std::size_t kEntryBytes = 160;

std::size_t stored_bytes(const google::protobuf::Message& info) {
  return info.ByteSizeLong();
}
std::size_t stored_bytes(const std::string& info) {
  return info.size();
}
std::size_t in_memory(const google::protobuf::Message& info) {
  return kEntryBytes + info.SpaceUsedLong();
}
std::size_t in_memory(const std::string& info) {
  return kEntryBytes + sizeof info + info.capacity();
}

std::uint32_t tag_of(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}
std::size_t bytes_as_field(int field, std::size_t bytes) {
  using Coded = google::protobuf::io::CodedOutputStream;
  return Coded::VarintSize32(tag_of(field)) + Coded::VarintSize32(static_cast<std::uint32_t>(bytes)) + bytes;
}

// Appends to a message that is being written what would else have to be copied into it.
class FieldWriter {
 public:
  explicit FieldWriter(std::string* out) : stream_(out), coded_(&stream_) {
    coded_.SetSerializationDeterministic(true);
  }
  void message(const google::protobuf::Message& message) {
    message.ByteSizeLong();
    message.SerializeWithCachedSizes(&coded_);
  }
  void number(int field, std::int64_t value) { WireFormatLite::WriteInt64(field, value, &coded_); }
  void head(int field, std::size_t bytes) {
    coded_.WriteTag(tag_of(field));
    coded_.WriteVarint32(static_cast<std::uint32_t>(bytes));
  }
  void field(int field, const google::protobuf::Message& message) {
    head(field, message.ByteSizeLong());
    message.SerializeWithCachedSizes(&coded_);
  }
  void field(int field, const std::string& text) {
    head(field, text.size());
    coded_.WriteString(text);
  }

 private:
  google::protobuf::io::StringOutputStream stream_;
  google::protobuf::io::CodedOutputStream coded_;
};

template <typename T>
std::string part_bytes(const Kind<T>& kind, std::int64_t n, const T& info) {
  std::string out;
  {
    FieldWriter writer(&out);
    writer.number(stored::StatePart::kNFieldNumber, n);
    writer.field(kind.part, info);
  }
  return out;
}

// Where each entry that changed has its place: with the state as long as there is room, and from then on,
// until it is gone, in a row of its own.
template <typename T>
void place_changed(const Kind<T>& kind, Entries<T>& table, std::int64_t* room, std::vector<PartRow>* rows) {
  for (const std::int64_t n : table.take_gone()) rows->push_back({kind.part, n, std::nullopt});
  table.take_changed([&](std::int64_t n, auto& entry) {
    if (!entry.own_row) *room += static_cast<std::int64_t>(entry.bytes);
    entry.bytes = stored_bytes(entry.info);
    entry.in_memory = in_memory(entry.info);
    const auto bytes = static_cast<std::int64_t>(entry.bytes);
    const bool in_order = kind.number != nullptr || table.own_rows() == 0;
    if (!entry.own_row && in_order && bytes <= *room) {
      *room -= bytes;
      return;
    }
    entry.own_row = true;
    rows->push_back({kind.part, n, part_bytes(kind, n, entry.info)});
  });
}

template <typename T>
void write_inline(const Kind<T>& kind, const Entries<T>& table, FieldWriter* writer) {
  table.visit_inline([&](const T& info) {
    if (kind.outer != 0) writer->head(kind.outer, bytes_as_field(kind.field, stored_bytes(info)));
    writer->field(kind.field, info);
  });
}

// Far more events than a run may have: who counts on from here does not get to the end of the numbers.
constexpr std::int64_t kLastNumber = std::int64_t{1} << 60;

bool is_number(std::int64_t n) {
  return n >= 0 && n <= kLastNumber;
}

// What stands with a state of a build that stored everything there may be more than there is room for: it
// gets its places anew. False: it holds what cannot be.
bool load_from(stored::ExecutionState& state, Holdings& held) {
  bool possible = true;
  std::size_t total = 0;
  for_each_kind(held, [&](const auto& kind, auto& table) {
    if (kind.outer != 0 && !state.has_close_outbox()) return;
    auto* field = kind.in_state(state);
    for (auto& info : *field) {
      const std::int64_t n = kind.number == nullptr ? table.next_n() : kind.number(info);
      possible = possible && is_number(n) && table.find(n) == nullptr;
      const std::size_t bytes = stored_bytes(info);
      total += bytes;
      const std::size_t memory = in_memory(info);
      table.load(n, std::move(info), false, bytes, memory);
    }
    field->Clear();
  });
  if (total > kInlineBytes) for_each_kind(held, [](const auto&, auto& table) { table.mark_all(); });
  return possible;
}

}  // namespace

StateRows take_rows(const stored::ExecutionState& head, Holdings& held) {
  StateRows rows;
  std::size_t used = 0;
  for_each_kind(held, [&](const auto&, const auto& table) { used += table.inline_bytes(); });
  // Less than none until what an older build put there has got another place.
  auto room = static_cast<std::int64_t>(kInlineBytes) - static_cast<std::int64_t>(used);
  std::int64_t own_rows = 0;
  for_each_kind(held, [&](const auto& kind, auto& table) {
    place_changed(kind, table, &room, &rows.parts);
    own_rows += table.own_rows();
  });
  {
    FieldWriter writer(&rows.state);
    writer.message(head);
    for_each_kind(held, [&](const auto& kind, const auto& table) { write_inline(kind, table, &writer); });
    if (own_rows > 0) writer.number(stored::ExecutionState::kPartRowsFieldNumber, own_rows);
  }
  return rows;
}

Holdings take_holdings(stored::ExecutionState& state) {
  Holdings held;
  load_from(state, held);
  return held;
}

void add_holdings(const Holdings& held, stored::ExecutionState& state) {
  for_each_kind(held, [&](const auto& kind, const auto& table) {
    if (table.empty()) return;
    for (const auto& info : table.infos()) *kind.in_state(state)->Add() = info;
  });
}

bool StateReader::state(std::string_view bytes) {
  if (!head_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  missing_ = head_.part_rows();
  head_.clear_part_rows();
  return missing_ >= 0 && load_from(head_, held_);
}

bool StateReader::part(int kind_number, std::int64_t n, std::string_view bytes) {
  stored::StatePart part;
  if (missing_ == 0 || !part.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  if (!is_number(n) || part.n() != n || static_cast<int>(part.part_case()) != kind_number) return false;
  bool taken = false;
  for_each_kind(held_, [&](const auto& kind, auto& table) {
    if (kind.part != kind_number) return;
    auto& info = *kind.in_part(part);
    // Of those that stand with the state the table has counted the order; rows come behind them.
    if (table.find(n) != nullptr || (kind.number != nullptr ? kind.number(info) != n : n < table.next_n()))
      return;
    const std::size_t size = stored_bytes(info);
    const std::size_t memory = in_memory(info);
    table.load(n, std::move(info), true, size, memory);
    taken = true;
  });
  if (taken) --missing_;
  return taken;
}

}  // namespace holdfast::history
