#include "visibility/attributes.h"

#include <array>
#include <limits>

namespace holdfast::visibility {
namespace {

constexpr std::array<std::string_view, 7> kTypeNames = {"Text", "Keyword",  "Int",        "Double",
                                                        "Bool", "Datetime", "KeywordList"};
constexpr std::string_view kReservedPrefix = "Temporal";

std::optional<AttributeType> find(const std::map<std::string_view, AttributeType>& in,
                                  std::string_view name) {
  const auto found = in.find(name);
  if (found == in.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::string_view type_name(AttributeType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::optional<AttributeType> attribute_type(std::string_view name) {
  for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
    if (kTypeNames[i] == name) return static_cast<AttributeType>(i);
  }
  return std::nullopt;
}

enums::IndexedValueType indexed_value_type(AttributeType type) {
  return static_cast<enums::IndexedValueType>(static_cast<int>(type) + 1);
}

std::optional<AttributeType> attribute_type(enums::IndexedValueType type) {
  const int number = static_cast<int>(type);
  if (number < 1 || number > static_cast<int>(kTypeNames.size())) return std::nullopt;
  return static_cast<AttributeType>(number - 1);
}

const std::map<std::string_view, AttributeType>& system_attributes() {
  static const auto* const all = new std::map<std::string_view, AttributeType>{
      {"CloseTime", AttributeType::kDatetime},
      {"ExecutionDuration", AttributeType::kInt},
      {"ExecutionStatus", AttributeType::kKeyword},
      {"ExecutionTime", AttributeType::kDatetime},
      {"HistoryLength", AttributeType::kInt},
      {"HistorySizeBytes", AttributeType::kInt},
      {"ParentRunId", AttributeType::kKeyword},
      {"ParentWorkflowId", AttributeType::kKeyword},
      {"RootRunId", AttributeType::kKeyword},
      {"RootWorkflowId", AttributeType::kKeyword},
      {"RunId", AttributeType::kKeyword},
      {"StartTime", AttributeType::kDatetime},
      {"StateTransitionCount", AttributeType::kInt},
      {"TaskQueue", AttributeType::kKeyword},
      {"WorkflowId", AttributeType::kKeyword},
      {"WorkflowType", AttributeType::kKeyword},
  };
  return *all;
}

const std::map<std::string_view, AttributeType>& predefined_attributes() {
  static const auto* const all = new std::map<std::string_view, AttributeType>{
      {"BatcherNamespace", AttributeType::kKeyword},
      {"BatcherUser", AttributeType::kKeyword},
      {"BinaryChecksums", AttributeType::kKeywordList},
      {"BuildIds", AttributeType::kKeywordList},
      {"TemporalChangeVersion", AttributeType::kKeywordList},
      {"TemporalNamespaceDivision", AttributeType::kKeyword},
      {"TemporalPauseInfo", AttributeType::kKeywordList},
      {"TemporalReportedProblems", AttributeType::kKeywordList},
      {"TemporalSchedulePaused", AttributeType::kBool},
      {"TemporalScheduledById", AttributeType::kKeyword},
      {"TemporalScheduledStartTime", AttributeType::kDatetime},
      {"TemporalUsedWorkerDeploymentVersions", AttributeType::kKeywordList},
      {"TemporalWorkerDeployment", AttributeType::kKeyword},
      {"TemporalWorkerDeploymentVersion", AttributeType::kKeyword},
      {"TemporalWorkflowVersioningBehavior", AttributeType::kKeyword},
  };
  return *all;
}

std::optional<AttributeType> system_attribute(std::string_view name) {
  return find(system_attributes(), name);
}

std::optional<AttributeType> predefined_attribute(std::string_view name) {
  return find(predefined_attributes(), name);
}

bool is_reserved(std::string_view name) {
  return name.starts_with(kReservedPrefix) || system_attribute(name) || predefined_attribute(name);
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  google::protobuf::Timestamp time;
  if (text.size() < 10 || text.size() > 40) return std::nullopt;
  const std::string whole = text.size() == 10 ? std::string(text) + "T00:00:00Z" : std::string(text);
  if (!google::protobuf::util::TimeUtil::FromString(whole, &time)) return std::nullopt;
  // Nanoseconds of an int64 reach from 1677 to 2262.
  constexpr std::int64_t kMaxSeconds = std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1;
  if (time.seconds() > kMaxSeconds) return std::numeric_limits<std::int64_t>::max();
  if (time.seconds() < -kMaxSeconds) return std::numeric_limits<std::int64_t>::min();
  return time.seconds() * 1'000'000'000 + time.nanos();
}

}  // namespace holdfast::visibility
