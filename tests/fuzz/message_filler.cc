#include "message_filler.h"

#include <array>
#include <limits>

#include <google/protobuf/any.pb.h>

#include "temporal/api/update/v1/message.pb.h"

namespace holdfast::fuzz {

namespace {

constexpr int kMaxDepth = 7;

template <std::size_t n>
std::string one_of(const std::array<const char*, n>& values, std::uint8_t which) {
  return values[which % n];
}

}  // namespace

std::uint8_t MessageFiller::next() {
  if (bytes_.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(bytes_.front());
  bytes_.remove_prefix(1);
  return byte;
}

std::int64_t MessageFiller::number() {
  constexpr std::int64_t kValues[] = {0,
                                      1,
                                      -1,
                                      2,
                                      5,
                                      60,
                                      999'999'999,
                                      1'000'000'000,
                                      std::numeric_limits<std::int32_t>::max(),
                                      std::numeric_limits<std::int32_t>::min(),
                                      std::numeric_limits<std::int64_t>::max(),
                                      std::numeric_limits<std::int64_t>::min(),
                                      315'576'000'000,
                                      7};
  return kValues[next() % std::size(kValues)];
}

std::string MessageFiller::text(const Field& field) {
  if (field.name() == "namespace" && next() < 230) return "default";
  constexpr std::array<const char*, 22> kValues = {
      "",    "default", "q",     "w",          "w2",       "a",       "t",
      "u",   "x",       "child", "@every 1s",  "*",        "%s",      "\n",
      "é",   "..",      "1.0",   "json/plain", "encoding", "Keyword", "CustomIntField",
      "type"};
  const std::uint8_t which = next();
  if (which >= 250) return std::string(1001, 'a');
  return one_of(kValues, which);
}

std::string MessageFiller::blob(const Field& field) {
  const std::uint8_t which = next();
  if (field.name() == "task_token" && which < 240) return tokens_[which % 2];
  constexpr std::array<const char*, 12> kValues = {"",     "json/plain", "\"x\"", "1",
                                                   "true", "[]",         "null",  "\xff",
                                                   "{",    "-1",         "1e9",   "\"2026-01-01T00:00:00Z\""};
  return one_of(kValues, which);
}

// What travels in the messages of an update.
void MessageFiller::fill_any(google::protobuf::Message& any) {
  namespace update = temporal::api::update::v1;
  const auto pack = [&](google::protobuf::Message&& body) {
    fill(body, kMaxDepth - 3);
    static_cast<google::protobuf::Any&>(any).PackFrom(body);
  };
  switch (next() % 5) {
    case 0: return pack(update::Acceptance());
    case 1: return pack(update::Response());
    case 2: return pack(update::Rejection());
    case 3: return pack(update::Request());
    default: static_cast<google::protobuf::Any&>(any).set_type_url("type.googleapis.com/nothing");
  }
}

void MessageFiller::fill(google::protobuf::Message& message, int depth) {
  const auto* descriptor = message.GetDescriptor();
  if (descriptor->full_name() == "google.protobuf.Any") return fill_any(message);
  // The smaller the message, the likelier each of its fields.
  const int likely = descriptor->field_count() <= 4 ? 160 : 90;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    if (bytes_.empty() || fields_left_ <= 0) return;
    const Field& field = *descriptor->field(i);
    const bool wanted = field.name() == "task_token" || field.name() == "namespace";
    if (next() >= (wanted ? 240 : likely)) continue;
    if (!field.is_repeated()) {
      set(message, field, depth);
      continue;
    }
    for (int n = 1 + next() % 3; n > 0; --n) add(message, field, depth);
  }
}

void MessageFiller::set(google::protobuf::Message& message, const Field& field, int depth) {
  --fields_left_;
  const auto& access = *message.GetReflection();
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32: return access.SetInt32(&message, &field, static_cast<std::int32_t>(number()));
    case Field::CPPTYPE_INT64: return access.SetInt64(&message, &field, number());
    case Field::CPPTYPE_UINT32:
      return access.SetUInt32(&message, &field, static_cast<std::uint32_t>(number()));
    case Field::CPPTYPE_UINT64:
      return access.SetUInt64(&message, &field, static_cast<std::uint64_t>(number()));
    case Field::CPPTYPE_DOUBLE: return access.SetDouble(&message, &field, static_cast<double>(number()) / 3);
    case Field::CPPTYPE_FLOAT: return access.SetFloat(&message, &field, static_cast<float>(number()));
    case Field::CPPTYPE_BOOL: return access.SetBool(&message, &field, next() % 2 == 1);
    case Field::CPPTYPE_ENUM: return access.SetEnumValue(&message, &field, next() % 24 - 1);
    case Field::CPPTYPE_STRING:
      return access.SetString(&message, &field,
                              field.type() == Field::TYPE_BYTES ? blob(field) : text(field));
    case Field::CPPTYPE_MESSAGE:
      if (depth < kMaxDepth) fill(*access.MutableMessage(&message, &field), depth + 1);
      return;
  }
}

void MessageFiller::add(google::protobuf::Message& message, const Field& field, int depth) {
  --fields_left_;
  const auto& access = *message.GetReflection();
  switch (field.cpp_type()) {
    case Field::CPPTYPE_STRING:
      return access.AddString(&message, &field,
                              field.type() == Field::TYPE_BYTES ? blob(field) : text(field));
    case Field::CPPTYPE_MESSAGE:
      if (depth < kMaxDepth) fill(*access.AddMessage(&message, &field), depth + 1);
      return;
    case Field::CPPTYPE_INT64: return access.AddInt64(&message, &field, number());
    case Field::CPPTYPE_INT32: return access.AddInt32(&message, &field, static_cast<std::int32_t>(number()));
    case Field::CPPTYPE_UINT32:
      return access.AddUInt32(&message, &field, static_cast<std::uint32_t>(number()));
    case Field::CPPTYPE_ENUM: return access.AddEnumValue(&message, &field, next() % 24 - 1);
    default: return;
  }
}

}  // namespace holdfast::fuzz
