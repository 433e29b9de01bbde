#include "api/request_check.h"

#include <string>
#include <vector>

#include "api/field_bounds.h"
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

Status check_message(const Message& message, const MessagePlan* plan);

// Null: a field without a bound.
Status check_size(const FieldPlan* plan, std::size_t bytes) {
  if (plan == nullptr || bytes <= plan->most_bytes) return {};
  return {Code::kInvalidArgument, plan->too_long};
}

Status check_string(const std::string& text, const FieldDescriptor& field, const FieldPlan* plan) {
  if (Status status = check_size(plan, text.size()); !status.ok()) return status;
  if (field.type() != FieldDescriptor::TYPE_STRING || is_utf8(text)) return {};
  return refused(field);
}

Status check_strings(const Message& message, const FieldDescriptor& field, const FieldPlan* plan) {
  const auto& reflection = *message.GetReflection();
  std::string scratch;
  if (!field.is_repeated()) {
    return check_string(reflection.GetStringReference(message, &field, &scratch), field, plan);
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    Status status =
        check_string(reflection.GetRepeatedStringReference(message, &field, i, &scratch), field, plan);
    if (!status.ok()) return status;
  }
  return {};
}

Status check_nested(const Message& message, const FieldPlan* plan) {
  // Its size is asked for only where it has a bound.
  if (plan != nullptr && plan->most_bytes != kUnbounded) {
    if (Status status = check_size(plan, message.ByteSizeLong()); !status.ok()) return status;
  }
  return check_message(message, plan == nullptr ? nullptr : plan->message);
}

Status check_messages(const Message& message, const FieldDescriptor& field, const FieldPlan* plan) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) return check_nested(reflection.GetMessage(message, &field), plan);
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    Status status = check_nested(reflection.GetRepeatedMessage(message, &field, i), plan);
    if (!status.ok()) return status;
  }
  return {};
}

Status check_message(const Message& message, const MessagePlan* plan) {
  bool known = false;
  if (const auto* field = check_known(message, known); field != nullptr) return refused(*field);
  if (known) return {};
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const FieldPlan* field_plan = plan == nullptr ? nullptr : plan->find(field->number());
    Status status;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      status = check_strings(message, *field, field_plan);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      status = check_messages(message, *field, field_plan);
    }
    if (!status.ok()) return status;
  }
  return {};
}

}  // namespace

Status check_request(const Message& message) {
  return check_message(message, plan_of(*message.GetDescriptor()));
}

}  // namespace holdfast::api
