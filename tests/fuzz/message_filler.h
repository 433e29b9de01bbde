#pragma once

// MessageFiller: a message of any type out of arbitrary bytes, so that a search gets behind the parser: which
// fields are there, and values that code is likely to look at. One input, one thread; the same bytes give the
// same message.

#include <cstdint>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>

namespace holdfast::fuzz {

class MessageFiller {
 public:
  // `task_token`: what a field of that name gets, when it gets something that is right.
  MessageFiller(std::string_view bytes, std::string workflow_token, std::string activity_token)
      : bytes_(bytes), tokens_{std::move(workflow_token), std::move(activity_token)} {}

  void fill(google::protobuf::Message& message, int depth = 0);

 private:
  using Field = google::protobuf::FieldDescriptor;
  std::uint8_t next();
  std::int64_t number();
  std::string text(const Field& field);
  std::string blob(const Field& field);
  void fill_any(google::protobuf::Message& any);
  void set(google::protobuf::Message& message, const Field& field, int depth);
  void add(google::protobuf::Message& message, const Field& field, int depth);

  std::string_view bytes_;
  std::string tokens_[2];
  int fields_left_ = 400;
};

}  // namespace holdfast::fuzz
