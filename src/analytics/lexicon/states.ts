/** What happens and how it ends: verbs and states of every system. One group per line, read by Lexicon.ts. */
export const states = `
fail failed failure failing error err fault faulty broken break broke unsuccessful defect malfunction bad wrong ~ problem trouble issue abnormal exception crash corrupt not_work
not_work didnt_work did_not_work not_working doesnt_work does_not_work stopped_working ~ fail error broken unable problem unsuccessful
problem trouble issue incident difficulty anomaly ~ fail error warning fault alert
unable cannot couldnt cant could_not can_not not_able impossible unsuccessful refuse ~ fail error failed problem not
no not none without missing lacks lack lacking absent never neither ~ empty unavailable invalid null zero
missing absent lost not_found no_such does_not_exist nonexistent cannot_find gone disappear disappeared vanish unknown not_exist ~ find unavailable missing unable empty nowhere null
find found locate locating discover detect lookup look_up search seek ~ get recognize probe scan identify
detect detected notice noticed recognize recognized recognised spot see seen sense identify identified discover ~ find probe found report
unknown unrecognized unrecognised unidentified unexpected nonexistent nobody_knows not_known ~ invalid strange undefined missing unsupported
invalid illegal malformed bad incorrect wrong improper ill_formed unparsable garbage garbled unacceptable inconsistent ~ error mismatch unexpected corrupt violate unknown
unexpected surprising abnormal abnormally strange weird suspicious odd anomalous ~ unknown invalid instead error bad
success succeed succeeded successful successfully ok okay fine passed completed correctly good smoothly ~ done complete finish ready normal valid accepted established
finish finished complete completed completion done end ended ending conclude concluded over terminate ~ success close stop exit final result
stop stopped stopping halt halted shutdown shut_down shutting_down terminate terminated terminating quit cease ceased turned_off power_down powering_down ~ end exit kill close disable down finish suspend deactivate
exit exited exiting quit leave left return terminated ~ end stop die status code kill
crash crashed crashing die died dead dying collapse panic abort aborted segfault segmentation_fault core_dump blew_up went_away gone_away fell_over ~ fail kill exit terminate fatal exception error core
kill killed killing sigkill terminate terminated forcibly_stopped shot destroy ~ stop die crash signal exit abort
hang hung stuck frozen freeze freezing stall stalled unresponsive blocked deadlock deadlocked not_responding lockup wedged ~ wait slow timeout watchdog lock blocked
panic kernel_panic oops fatal_error ~ crash abort halt bug assert fatal severe
fatal severe critical serious emergency catastrophic ~ error panic alert crash important
warning warn warns caution alert advisory ~ notice error problem critical threshold
alert alarm alerts warning ~ notification warn notify critical
start started starting startup begin began begun beginning launch launched launching boot booted spawn initiate commence came_up come_up comes_up started_up bring_up bringing_up turned_on kick_off ~ initialize open run activate enable up create ready load
initialize initialized initialised initializing init initialization setup set_up prepare bootstrap ~ start load configure begin create ready
boot booting booted bootup boots power_on startup start_up ~ start bios reboot kernel load restart
restart restarted restarting reboot rebooted relaunch relaunched respawn reload reset reinitialize bounce began_again brought_back ~ start boot again recover recycle
up running alive active online live operational healthy available in_service ready ~ start ok normal work enable
down offline dead unavailable out_of_service not_running inactive went_down outage unreachable not_available ~ fail lost stop disconnect disabled broken unresponsive failed
available availability present free usable accessible ~ ready online up exist
unavailable not_available inaccessible unusable out_of_order offline out_of_service ~ down missing unreachable refuse lost disable
ready prepared initialized ~ available start up listening complete
normal ok healthy fine usual nominal good ~ success active running available
recover recovered recovery restore restored restoring heal healed repair repaired fix fixed resolve resolved came_back back_to_normal back_again return_to_normal ~ correct retry rebuild available normal detected resume success
repair repaired fix fixed correct corrected correcting heal healed mend mended remedy cured ~ recover restore resolve automatically rebuild
corrupt corrupted corruption damaged damage garbled mangled spoiled bad inconsistent ~ parity checksum invalid ecc error bad crc broken mismatch
retry retries retrying retried try_again trying_again tries_again attempt_again reattempt resend retransmit another_attempt ~ attempt again repeat reconnect tried
attempt attempts try tried trying effort ~ retry again times
again anew once_more repeated repeatedly repeat recurring ~ retry redo duplicate
too_many too_much maximum max limit exceed exceeded exceeds exceeding over_limit above_limit over_the_limit excess excessive upper_limit overflow ~ threshold quota large reached flood limited full
threshold limit limits boundary cap ceiling ~ exceed max maximum warning level quota
large big huge too_big too_large oversized giant long ~ size exceed max great limit
small tiny too_small short low little ~ minimum size less few
low running_low insufficient not_enough shortage scarce lack too_little too_few ~ little less exhausted below small warning minimum enough
exhausted exhaust depleted used_up ran_out run_out ran_out_of out_of running_out no_more no_space_left ~ full insufficient no limit memory space exceed
full filled no_space no_space_left out_of_space filled_up capacity saturated overflow ~ exceed quota disk exhausted
empty blank nothing void null zero ~ no missing none clear
slow slowly slowness sluggish lag lagging latency delayed delay took_long takes_long taking_long took_too_long takes_too_long degraded poor_performance slow_down ~ timeout wait late performance time took threshold long
late delayed delay overdue behind ~ slow time wait lag
fast quick quickly rapid high_speed speed ~ performance rate time
timeout timed_out time_out times_out timing_out expired took_too_long takes_too_long waited_too_long deadline no_answer_in_time not_in_time in_time idle_too_long too_long ~ slow wait response unresponsive expire delay
wait waiting waits waited await awaiting pending ~ queue idle block timeout sleep delay
expire expired expires expiry expiration outdated stale old obsolete lapsed too_old ~ timeout invalid renew lease
old outdated obsolete stale ancient deprecated legacy superseded previous former too_old ~ expire version old earlier unsupported
deprecated deprecation obsolete old_name no_longer_used outdated legacy superseded ~ old use instead replaced
new newly fresh newer latest recent ~ create added first update
change changed changes changing modify modified alter altered switch update updated varied became different differs transition ~ set new edit configure update state
transition transitioned state_change moved_to went_from became change_state ~ change state status from
set setting assign assigned configured ~ change configure value update
create created creating make made making generate generated build built constructing produce produced write ~ add new allocate open
delete deleted deleting remove removed removing erase erased purge purged wipe drop dropped discard discarded unlink destroy destroyed clean clear cleared evict evicted ~ cleanup unregister invalid free delete
cleanup clean_up cleaning cleaning_up clean cleaned purge purged scavenge scavenging housekeeping garbage_collection tidy sweep prune ~ delete remove clear old free
add added adding insert inserted append appended attach attached put include new ~ create register join
update updated updating upgrade upgraded refresh refreshed renew ~ change install patch new sync modify
replace replaced replacement substitute swap swapped ~ change new instead
copy copied copies copying clone duplicate replicate replicated replication replica mirror another_copy ~ backup transfer block
duplicate duplicated twice already_exists double repeated redundant same ~ copy again exist conflict
move moved moving migrate migrated migration relocate relocated transfer ~ rename change switch
send sent sending transmit transmitted transmitting dispatch dispatched deliver delivered submit submitted post push forward emit ~ write transfer upload request reply output
receive received receiving incoming arrive arrived arrives arriving inbound got get accept coming_in came_in comes_in ~ read input fetch accepted request from
transfer transferred transferring transmission copy move stream ~ send receive upload download serve
upload uploaded uploading push send report ~ transfer sync submit cloud
download downloaded downloading fetch fetched pull retrieve ~ get transfer install
get fetch obtain retrieve read query acquire got ~ receive find ask take
ask asked asking request requested requesting requests demand query order ordered instruct told want wants call ~ get need command
request requests requested call query http ~ ask receive client response
response reply replied answer answered answering respond responding responds ack acknowledge acknowledged acknowledgement ~ request receive result done
unresponsive not_responding no_response no_answer no_reply not_answering does_not_answer does_not_respond silent ~ timeout hang unreachable down not-responding dead respond
reject rejected refuse refused refusing refusal deny denied decline declined turned_away forbid forbidden disallow disallowed blocked not_allowed ban prohibited ~ fail permission unauthorized error invalid not
accept accepted accepting allow allowed permitted grant granted ~ success receive ok approve
block blocked blocking prevent prevented forbid stop ban banned blacklist blacklisted ~ deny reject refuse suspend lock
blacklist blacklisted blacklisting banned ban_list block_list blocklist quarantine excluded ~ block deny bad exclude
enable enabled activate activated switch_on switched_on turn_on turned_on active on ~ start allow open
disable disabled deactivate deactivated switch_off switched_off turn_off turned_off inactive off not_enabled ~ stop disallow no suspend
suspend suspended suspending pause paused hibernate sleep sleeping standby ~ stop wait resume idle
resume resumed resuming continue continued unpause wake ~ start restart recover go_on
ignore ignored ignoring skip skipped skipping bypass omit omitted disregard mute muting suppress suppressed suppressing silence silenced not_needed ~ drop discard no further
cancel cancelled canceled cancelling abort aborted abandon abandoned give_up gave_up interrupted called_off dismissed revoke ~ stop kill terminate remove fail
interrupt interrupted interruption cut_off broken_off ~ cancel abort signal stop
open opened opening ~ start create begin mount access
close closed closing shut ~ end stop disconnect finish
lock locked locking latch mutex semaphore acquire held ~ wait block exclusive
unlock unlocked release released releasing free freed let_go ~ lock open
reserve reserved allocate allocated allocating allocation assign assigned claim claimed book ~ give create acquire request
assign assigned given give gave allocate allocated hand_out handed scheduled ~ place got container task
register registered registering registration enroll sign_up subscribe ~ add join login create
unregister unregistered deregister unsubscribe ~ remove delete leave
join joined member membership enter participate ~ add cluster connect register
leave left removed_from depart ~ exit remove disconnect
load loaded loading read_in bring_in import imported ~ start read open execute
unload unloaded unloading detach detached eject ejected remove removed unmount ~ stop close free
read reading reads consume ~ get load open fetch
write writing wrote written save saved store stored persist persisted flush flushed commit committed record recorded output ~ create put insert update
save saved saving store stored persist keep kept written ~ write commit record insert
commit committed committing persist finalize applied ~ save transaction write
flush flushed flushing write_out empty_buffer ~ write save sync
sync synchronize synchronized synchronizing synchronisation synchronization syncing resync replicate catch_up ~ update upload copy
verify verified verification validate validated validation check checked checking examine inspect confirm confirmed test tested ~ success valid scan audit pass
mismatch mismatched differ differs different not_match do_not_match does_not_match not_as_expected unequal disagree disagrees inconsistent conflict discrepancy instead_of ~ invalid wrong unexpected corrupt
conflict conflicting clash collision contention ~ duplicate mismatch lock
compare compared match matched matching equal same ~ check verify mismatch
use used using usage utilise utilize consume apply ~ choose take
choose chosen select selected pick picked prefer preferred decide elect ~ use set configure
calculate calculated compute computed computing recalculate recompute count counted evaluate estimate determine ~ number total result work
process processed processing handle handled handling work treat ~ execute run event
execute executed executing execution run running invoke ran perform performed performing ~ start launch process call command program
wake woke awake wakeup keep_awake stay_awake kept_awake wakelock wake_lock ~ resume suspend sleep lock screen start
progress proceed percent percentage how_far advance ~ status complete state step
status state condition health situation ~ report check info
report reported reporting reports notify tell told inform announce ~ send status log
broken_connection severed cut lost_link ~ disconnect link lost
print printed dump dumped show shown display log ~ output write
limit limited restrict restricted throttle throttled throttling rate_limit quota too_many_requests ~ exceed deny slow max
overload overloaded overwhelmed busy high_load under_pressure backlog saturated congestion congested ~ queue slow full exceed many reject load
idle inactive unused doing_nothing ~ wait sleep timeout
busy in_use occupied taken already_in_use ~ lock overload wait
steal stolen hijack spoof spoofed attack attacker intrusion intruder malicious breach hack hacker hacking compromised break_in breakin brute_force ~ security suspicious invalid possible attempt scan unauthorized
leak leaked leaking ~ memory lost exhausted
loop infinite cycle circular recursion ~ repeat again
reach reached reaching attain met ~ connect arrive threshold
first initial initially primary ~ start begin new
last final latest previous ~ end finish old recent
maintenance service servicing upkeep planned scheduled ~ shutdown repair prepare update
schedule scheduled scheduling scheduler plan planned timer cron ~ assign queue time later job
automatic automatically auto by_itself self ~ default repair
manual manually by_hand operator ~ user command
remote remotely far external other_side ~ host peer network
local locally here same_machine loopback localhost ~ host internal
assert assertion sanity_check invariant ~ fail panic bug condition error
partial partially partly incomplete not_fully not_complete half ~ missing degraded some
fully full completely entirely whole ~ all complete
bug defect software_error internal_error programming_error ~ error exception assert fault
exception uncaught unhandled traceback stack_trace stacktrace throwable thrown threw raised ~ error fail crash thread
internal inside inner ~ error own
support supported supports capable capability ~ feature enable
unsupported not_supported unimplemented not_implemented incompatible not_compatible ~ unknown invalid disabled old
feature capability option function ~ support enable
total sum overall altogether aggregate ~ count number all
number count amount how_many quantity ~ total size
postpone postponed defer deferred put_off later held_back ~ delay retry queue wait pending schedule
more_than_permitted more_than_allowed more_than_the_limit than_permitted than_allowed ~ too_many exceed max limit
young recent newest just_made ~ new old
talk talk_to speak speak_to communicate communication dialogue ~ connect contact channel reach message
guess guesses guessing brute_force tries_out ~ attempt password attack
attack attacked attacking hacked hacker scan_attempt abuse ~ intrusion suspicious break security
weak insecure unsafe ~ security warning
trust trusted verified ~ certificate secure accept
lose losing loses missing_some misses ~ lost drop skip
drift drifted skew skewed off_by ~ time clock sync
spread distribute distributed distribution balance balanced rebalance ~ node move assign
promote promoted promotion failover fail_over take_over takeover elected ~ leader master standby
demote demoted step_down stepped_down ~ follower leader
grow grew growing increase increased increasing rise rising raised higher ramp ramping ~ large add exceed
shrink decrease decreased decreasing drop_in lower reduced fall falling ~ small less
wrong_version version_mismatch incompatible_version ~ version unsupported mismatch
hand_out hands_out handed_out give_out gives_out lease_out ~ assign allocate offer give
offer offered offering propose proposed ~ give request
`
