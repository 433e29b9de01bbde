#include "engine/links.h"

#include <initializer_list>
#include <string>
#include <utility>

#include "engine/errors.h"

namespace holdfast::engine {

namespace {

constexpr int kMost = 10;
constexpr std::size_t kMostBytes = 4000;  // of one

using Part = std::pair<const char*, const std::string*>;

Status check_parts(const char* what, std::initializer_list<Part> parts) {
  for (const auto& [name, text] : parts) {
    if (text->empty())
      return errors::invalid(std::string(what) + " link must not have an empty " + name + " field");
  }
  return {};
}

Status check_event(const pb::common::v1::Link::WorkflowEvent& to) {
  if (Status wrong = check_parts(
          "workflow event",
          {{"namespace", &to.namespace_()}, {"workflow ID", &to.workflow_id()}, {"run ID", &to.run_id()}});
      !wrong.ok()) {
    return wrong;
  }
  if (to.event_ref().event_type() == enums::EVENT_TYPE_UNSPECIFIED && to.event_ref().event_id() != 0) {
    return errors::invalid(
        "workflow event link ref cannot have an unspecified event type and a non-zero event ID");
  }
  return {};
}

Status check_link(const pb::common::v1::Link& link) {
  using Kind = pb::common::v1::Link;
  switch (link.variant_case()) {
    case Kind::kWorkflowEvent: return check_event(link.workflow_event());
    case Kind::kBatchJob:
      if (link.batch_job().job_id().empty())
        return errors::invalid("batch job link must not have an empty job ID");
      return {};
    case Kind::kNexusOperation:
      return check_parts("nexus operation", {{"namespace", &link.nexus_operation().namespace_()},
                                             {"operation ID", &link.nexus_operation().operation_id()},
                                             {"run ID", &link.nexus_operation().run_id()}});
    case Kind::kActivity:
      return check_parts("activity", {{"namespace", &link.activity().namespace_()},
                                      {"activity ID", &link.activity().activity_id()},
                                      {"run ID", &link.activity().run_id()}});
    case Kind::kWorkflow:
      return check_parts("workflow", {{"namespace", &link.workflow().namespace_()},
                                      {"workflow ID", &link.workflow().workflow_id()},
                                      {"run ID", &link.workflow().run_id()}});
    case Kind::VARIANT_NOT_SET: break;
  }
  return errors::invalid("unsupported link variant");
}

}  // namespace

Status check_links(const history::Links& links) {
  if (links.size() > kMost) {
    return errors::invalid("cannot attach more than " + std::to_string(kMost) + " links per request, got " +
                           std::to_string(links.size()));
  }
  for (const auto& link : links) {
    if (link.ByteSizeLong() > kMostBytes) {
      return errors::invalid("link exceeds allowed size of " + std::to_string(kMostBytes) + ", got " +
                             std::to_string(link.ByteSizeLong()));
    }
    if (Status wrong = check_link(link); !wrong.ok()) return wrong;
  }
  return {};
}

}  // namespace holdfast::engine
