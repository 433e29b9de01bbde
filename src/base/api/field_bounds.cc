#include "api/field_bounds.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "api/method.h"

namespace holdfast::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// An entry of a map beside its key and value.
constexpr std::size_t kMapEntryBytes = 96;

constexpr const char* kBlobTooLarge = "Blob data size exceeds limit.";

struct Named {
  std::string_view field;  // its full name without "temporal.api."
  std::size_t most_bytes;
  const char* too_long;  // null: "NAME length exceeds limit."
};

// Those that are neither an id nor a token.
constexpr std::array kNamed = {
    Named{"workflowservice.v1.ListWorkflowExecutionsRequest.query", kMaxFilterBytes, nullptr},
    Named{"workflowservice.v1.CountWorkflowExecutionsRequest.query", kMaxFilterBytes, nullptr},
    Named{"workflowservice.v1.ScanWorkflowExecutionsRequest.query", kMaxFilterBytes, nullptr},
    Named{"workflowservice.v1.ListArchivedWorkflowExecutionsRequest.query", kMaxFilterBytes, nullptr},
    Named{"workflowservice.v1.RegisterNamespaceRequest.description", kMaxDescriptionBytes, nullptr},
    Named{"workflowservice.v1.RegisterNamespaceRequest.DataEntry.value", kMaxDescriptionBytes,
          "Data value length exceeds limit."},
    Named{"namespace_.v1.UpdateNamespaceInfo.description", kMaxDescriptionBytes, nullptr},
    Named{"namespace_.v1.UpdateNamespaceInfo.DataEntry.value", kMaxDescriptionBytes,
          "Data value length exceeds limit."},
    Named{"workflowservice.v1.RegisterNamespaceRequest.security_token", kMaxDescriptionBytes, nullptr},
    Named{"workflowservice.v1.RequestCancelWorkflowExecutionRequest.reason", kMaxTextBytes, nullptr},
    Named{"workflowservice.v1.TerminateWorkflowExecutionRequest.reason", kMaxTextBytes, nullptr},
    Named{"workflowservice.v1.ShutdownWorkerRequest.reason", kMaxTextBytes, nullptr},
    Named{"workflowservice.v1.RespondQueryTaskCompletedRequest.error_message", kMaxTextBytes, nullptr},
    Named{"query.v1.WorkflowQueryResult.error_message", kMaxTextBytes, nullptr},
    Named{"common.v1.Link.Workflow.reason", kMaxTextBytes, nullptr},
    Named{"common.v1.Callback.Nexus.url", kMaxDescriptionBytes, nullptr},
    Named{"common.v1.Callback.Nexus.HeaderEntry.value", kMaxDescriptionBytes,
          "Header value length exceeds limit."},
    Named{"common.v1.Callback.Internal.data", kMaxBlobBytes, kBlobTooLarge},
    Named{"common.v1.Payload.data", kUnbounded, nullptr},
    // What is too much of a failure is cut where it is taken: refused, it would be lost.
    Named{"failure.v1.Failure.message", kUnbounded, nullptr},
    Named{"failure.v1.Failure.stack_trace", kUnbounded, nullptr},
    Named{"common.v1.Payload.MetadataEntry.value", kUnbounded, nullptr},
    Named{"google.protobuf.Any.value", kUnbounded, nullptr},
    Named{"workflowservice.v1.StartWorkflowExecutionRequest.input", kMaxBlobBytes, kBlobTooLarge},
    Named{"workflowservice.v1.StartWorkflowExecutionRequest.last_completion_result", kMaxBlobBytes,
          kBlobTooLarge},
    Named{"workflowservice.v1.StartWorkflowExecutionRequest.continued_failure", kMaxBlobBytes, kBlobTooLarge},
    Named{"workflowservice.v1.SignalWithStartWorkflowExecutionRequest.input", kMaxBlobBytes, kBlobTooLarge},
    Named{"workflowservice.v1.SignalWithStartWorkflowExecutionRequest.signal_input", kMaxBlobBytes,
          kBlobTooLarge},
    Named{"workflowservice.v1.SignalWorkflowExecutionRequest.input", kMaxBlobBytes, kBlobTooLarge},
    Named{"workflowservice.v1.TerminateWorkflowExecutionRequest.details", kMaxBlobBytes, kBlobTooLarge},
    Named{"query.v1.WorkflowQuery.query_args", kMaxBlobBytes, kBlobTooLarge},
    Named{"update.v1.Input.args", kMaxBlobBytes, kBlobTooLarge},
};

// The same type everywhere outside a command.
constexpr std::array kTypes = {
    Named{"common.v1.Header", kMaxBlobBytes, kBlobTooLarge},
    Named{"common.v1.Memo", kMaxMemoBytes, "Memo size exceeds limit."},
    Named{"common.v1.SearchAttributes", kMaxBlobBytes, "SearchAttributes size exceeds limit."},
    Named{"sdk.v1.UserMetadata", kMaxUserMetadataBytes, "UserMetadata size exceeds limit."},
};

std::string_view short_name(const std::string& full_name) {
  constexpr std::string_view kPackage = "temporal.api.";
  std::string_view name = full_name;
  if (name.starts_with(kPackage)) name.remove_prefix(kPackage.size());
  return name;
}

const Named* find_named(const auto& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Named::field);
  return found == table.end() ? nullptr : &*found;
}

// "workflow_id" -> "WorkflowId"
std::string camel_case(const std::string& name) {
  std::string result;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      result.push_back(upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c);
      upper = false;
    }
  }
  return result;
}

// What Temporal calls the field: the name of a task queue is "TaskQueue".
std::string field_title(const FieldDescriptor& field) {
  const Descriptor& type = *field.containing_type();
  if (type.options().map_entry()) {
    return camel_case(type.name().substr(0, type.name().size() - std::string_view("Entry").size())) + " " +
           field.name();
  }
  return field.name() == "name" ? type.name() : camel_case(field.name());
}

// Commands are answered by failing the workflow task, and what failed is text.
bool is_relaxed_below(const Descriptor& type) {
  const std::string_view name = short_name(type.full_name());
  return name == "command.v1.Command" || name == "failure.v1.Failure";
}

class Plans {
 public:
  Plans() {
    for (std::size_t i = 0; i < kMethodCount; ++i) {
      const Descriptor* type = new_request(static_cast<Method>(i))->GetDescriptor();
      requests_.emplace(type, &plan(*type, false));
    }
  }

  const MessagePlan* find(const Descriptor& request) const {
    const auto found = requests_.find(&request);
    return found == requests_.end() ? nullptr : found->second;
  }

 private:
  MessagePlan& plan(const Descriptor& type, bool relaxed) {
    relaxed = relaxed || is_relaxed_below(type);
    auto& known = all_[{&type, relaxed}];
    if (known) return *known;
    known = std::make_unique<MessagePlan>();
    MessagePlan& made = *known;
    made.object_bytes =
        type.options().map_entry()
            ? kMapEntryBytes
            : google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->SpaceUsedLong();
    for (int i = 0; i < type.field_count(); ++i) made.fields.push_back(plan_field(*type.field(i), relaxed));
    std::ranges::sort(made.fields, {}, &FieldPlan::number);
    return made;
  }

  FieldPlan plan_field(const FieldDescriptor& field, bool relaxed) {
    FieldPlan made;
    made.number = field.number();
    made.most_bytes = kUnbounded;
    made.too_long = field_title(field) + " length exceeds limit.";
    const Named* named = find_named(kNamed, short_name(field.full_name()));
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      made.kind = FieldPlan::Kind::kMessage;
      made.message = &plan(*field.message_type(), relaxed);
      if (named == nullptr && !relaxed)
        named = find_named(kTypes, short_name(field.message_type()->full_name()));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      made.kind = FieldPlan::Kind::kBytes;
      made.most_bytes = relaxed                                        ? kMaxTextBytes
                        : field.type() == FieldDescriptor::TYPE_STRING ? kMaxIdBytes
                                                                       : kMaxTokenBytes;
    }
    if (named != nullptr) {
      made.most_bytes = named->most_bytes;
      if (named->too_long != nullptr) made.too_long = named->too_long;
    }
    return made;
  }

  std::map<std::pair<const Descriptor*, bool>, std::unique_ptr<MessagePlan>> all_;
  std::unordered_map<const Descriptor*, const MessagePlan*> requests_;
};

}  // namespace

const FieldPlan* MessagePlan::find(int number) const {
  const auto found = std::ranges::lower_bound(fields, number, {}, &FieldPlan::number);
  return found == fields.end() || found->number != number ? nullptr : &*found;
}

const MessagePlan* plan_of(const Descriptor& request) {
  static const Plans plans;
  return plans.find(request);
}

}  // namespace holdfast::api
