#include "client/convert.h"

#include <utility>

namespace holdfast::client {

pb::common::v1::Payload to_proto(const Payload& payload) {
  return to_proto(Payload(payload));
}

pb::common::v1::Payload to_proto(Payload&& payload) {
  pb::common::v1::Payload out;
  for (auto& [key, value] : payload.metadata) (*out.mutable_metadata())[key] = value;
  out.set_data(std::move(payload.data));
  return out;
}

Payload from_proto(const pb::common::v1::Payload& payload) {
  Payload out;
  for (const auto& [key, value] : payload.metadata()) out.metadata.emplace(key, value);
  out.data = payload.data();
  return out;
}

void set_payloads(const std::vector<Payload>& from, pb::common::v1::Payloads* to) {
  to->clear_payloads();
  for (const auto& each : from) *to->add_payloads() = to_proto(each);
}

void set_payloads(std::vector<Payload>&& from, pb::common::v1::Payloads* to) {
  to->clear_payloads();
  for (auto& each : from) *to->add_payloads() = to_proto(std::move(each));
}

std::vector<Payload> from_proto(const pb::common::v1::Payloads& payloads) {
  std::vector<Payload> out;
  out.reserve(static_cast<std::size_t>(payloads.payloads_size()));
  for (const auto& each : payloads.payloads()) out.push_back(from_proto(each));
  return out;
}

Payload single(const pb::common::v1::Payloads& payloads) {
  return payloads.payloads_size() == 0 ? null_payload() : from_proto(payloads.payloads(0));
}

void set_map(const std::map<std::string, Payload>& from,
             google::protobuf::Map<std::string, pb::common::v1::Payload>* to) {
  for (const auto& [key, value] : from) (*to)[key] = to_proto(value);
}

std::map<std::string, Payload> from_proto(
    const google::protobuf::Map<std::string, pb::common::v1::Payload>& from) {
  std::map<std::string, Payload> out;
  for (const auto& [key, value] : from) out.emplace(key, from_proto(value));
  return out;
}

void set_duration(Duration from, google::protobuf::Duration* to) {
  *to = google::protobuf::util::TimeUtil::NanosecondsToDuration(from.count());
}

Duration from_proto(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) + std::chrono::nanoseconds(duration.nanos());
}

WallTime from_proto(const google::protobuf::Timestamp& time) {
  return WallTime(std::chrono::seconds(time.seconds()) + std::chrono::nanoseconds(time.nanos()));
}

void set_timestamp(WallTime from, google::protobuf::Timestamp* to) {
  *to = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(from.time_since_epoch().count());
}

void set_retry_policy(const RetryPolicy& from, pb::common::v1::RetryPolicy* to) {
  set_duration(from.initial(), to->mutable_initial_interval());
  to->set_backoff_coefficient(from.backoff());
  if (from.maximum()) set_duration(*from.maximum(), to->mutable_maximum_interval());
  to->set_maximum_attempts(from.attempts());
  for (const auto& type : from.non_retryable()) to->add_non_retryable_error_types(type);
}

RetryPolicy from_proto(const pb::common::v1::RetryPolicy& policy) {
  RetryPolicy out;
  if (policy.has_initial_interval()) out.initial(from_proto(policy.initial_interval()));
  if (policy.backoff_coefficient() > 0) out.backoff(policy.backoff_coefficient());
  if (policy.has_maximum_interval()) out.maximum(from_proto(policy.maximum_interval()));
  out.attempts(policy.maximum_attempts());
  const auto& types = policy.non_retryable_error_types();
  out.non_retryable(std::vector<std::string>(types.begin(), types.end()));
  return out;
}

}  // namespace holdfast::client
