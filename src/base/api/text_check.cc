#include "api/text_check.h"

#include <string>
#include <vector>

#include "api/messages.h"
#include "base/text.h"

namespace holdfast::api {

namespace {

namespace common = temporal::api::common::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

Status refused(const FieldDescriptor& field) {
  return {Code::kInvalidArgument, field.full_name() + " is not valid UTF-8"};
}

bool keys_are_text(const auto& map) {
  for (const auto& [key, value] : map) {
    if (!is_utf8(key)) return false;
  }
  return true;
}

// Maps by hand: reflection would turn each into a list first.
bool metadata_is_text(const common::Payload& payload) {
  return keys_are_text(payload.metadata());
}

bool fields_are_text(const google::protobuf::Map<std::string, common::Payload>& fields) {
  if (!keys_are_text(fields)) return false;
  for (const auto& [key, payload] : fields) {
    if (!metadata_is_text(payload)) return false;
  }
  return true;
}

// What holds the maps of nearly every message; null when `message` is none of them.
const FieldDescriptor* check_known(const Message& message, bool& known) {
  const auto* type = message.GetDescriptor();
  bool text = true;
  known = true;
  if (type == common::Payload::descriptor()) {
    text = metadata_is_text(static_cast<const common::Payload&>(message));
  } else if (type == common::Header::descriptor()) {
    text = fields_are_text(static_cast<const common::Header&>(message).fields());
  } else if (type == common::Memo::descriptor()) {
    text = fields_are_text(static_cast<const common::Memo&>(message).fields());
  } else if (type == common::SearchAttributes::descriptor()) {
    text = fields_are_text(static_cast<const common::SearchAttributes&>(message).indexed_fields());
  } else {
    known = false;
  }
  return text ? nullptr : type->field(0);
}

Status check_strings(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  std::string scratch;
  if (!field.is_repeated()) {
    return is_utf8(reflection.GetStringReference(message, &field, &scratch)) ? Status() : refused(field);
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (!is_utf8(reflection.GetRepeatedStringReference(message, &field, i, &scratch))) return refused(field);
  }
  return {};
}

Status check_messages(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) return check_text(reflection.GetMessage(message, &field));
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (Status status = check_text(reflection.GetRepeatedMessage(message, &field, i)); !status.ok())
      return status;
  }
  return {};
}

}  // namespace

Status check_text(const Message& message) {
  bool known = false;
  if (const auto* field = check_known(message, known); field != nullptr) return refused(*field);
  if (known) return {};
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    Status status;
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      status = check_strings(message, *field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      status = check_messages(message, *field);
    }
    if (!status.ok()) return status;
  }
  return {};
}

}  // namespace holdfast::api
