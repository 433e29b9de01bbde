#pragma once

// What the server says about itself, and the methods of namespaces. Made and owned by the core; its thread
// only.

#include "api/messages.h"
#include "engine/core.h"
#include "engine/namespaces.h"
#include "history/stored.h"

namespace holdfast::engine {

struct CoreOptions;
class NewIds;
class Replies;

class NamespaceHandlers {
 public:
  NamespaceHandlers(const CoreOptions& options, const history::stored::StoreMeta& meta, NewIds& ids,
                    Namespaces& namespaces, Replies& replies)
      : options_(options), meta_(meta), ids_(ids), namespaces_(namespaces), replies_(replies) {}

  void get_system_info(Call& call, const ws::GetSystemInfoRequest&);
  void get_cluster_info(Call& call, const ws::GetClusterInfoRequest&);
  // `register` is a word of the language.
  void add(Call& call, const ws::RegisterNamespaceRequest& request);
  void describe(Call& call, const ws::DescribeNamespaceRequest& request);
  void list(Call& call, const ws::ListNamespacesRequest& request);
  void update(Call& call, const ws::UpdateNamespaceRequest& request);

 private:
  // A response that describes a namespace.
  template <typename Response>
  void fill(const Namespaces::Record& record, Response* response) const;
  Status check_retention(const google::protobuf::Duration& retention) const;

  const CoreOptions& options_;
  const history::stored::StoreMeta& meta_;
  NewIds& ids_;
  Namespaces& namespaces_;
  Replies& replies_;
};

}  // namespace holdfast::engine
