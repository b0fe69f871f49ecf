// DIALECT A  one room a job: `join_job` in, `job_status` and `job_update` out.
//
//   join_job {job_id}   --> job_status, and at the first join the current state as a job_update
//   leave_job {job_id}  --> job_unsubscribed
//   ping                --> pong
//   committed event     --> job_update; an output chunk has no word here, so that watchers see a hole in `seq`
//
// Its clients compare job_id with ===: it comes back in the JSON type they joined with.
#pragma once

#include "net/dialect/dialect.hpp"

namespace headway {

class job_dialect final : public dialect {
public:
  std::string_view name() const override { return "job"; }
  bool speaks(std::string_view event) const override;
  boost::system::result<dialect_request, wire_event> decode(std::string_view event, const json& args) const override;
  std::vector<wire_event> hello(const principal& who, epoch_ms now) const override;
  std::vector<wire_event> joined(const job_state& state, id_type ids, join_facts facts) const override;
  std::vector<wire_event> left(const room_name& room, id_type ids) const override;
  std::vector<wire_event> refused(const room_name& room, errc why) const override;
  wire_event pong(epoch_ms now) const override;
  std::vector<wire_event> render(const job_event& event, id_type ids) const override;
};

} // namespace headway
