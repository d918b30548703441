/** Phones, desktops, wearables, media. One group per line, read by Lexicon.ts. */
export const devices = `
phone telephone mobile handset smartphone cellphone android device ~ call telephony sim
call calls caller ring ringing dial incoming_call ~ phone voice
sim sim_card sim_pin pin ~ phone subscriber
cell cell_tower tower cellular base_station cell_info neighboring_cell mobile_network radio ~ phone network location signal
location position gps place coordinates whereabouts ~ cell map permission
battery charge charger charging plugged plug plugged_in wall_power ac_power level_of_battery accumulator ~ power low level voltage
screen display panel lcd monitor lights_up lit window ~ brightness touch show view
screen_on display_on lights_up light_up lit turned_on ~ screen wake
screen_off display_off dark went_dark ~ screen sleep
brightness bright dim dimmed darker lighter dark backlight luminosity ~ screen display light
touch touched finger tap swipe gesture press motion_event touchevent fling drag ~ screen input panel
rotate rotation orientation sideways landscape portrait turned turned_sideways ~ screen window freeze
window windows view layout surface widget ~ screen app focus
focus focused foreground front ~ window active audio
animation animate animating fade ~ screen window
keyguard lockscreen lock_screen screen_lock locked_screen ~ unlock screen
status_bar statusbar bar tray shade panel ~ notification system_ui
notification notifications alert bubble heads_up badge ~ bar message
dismiss dismissed swipe_away cancel_notification remove_notification ~ cancel remove
vibrate vibration vibrator buzz haptic ~ notification phone
sound audio loudness volume speaker speakerphone music noise ringer ringtone mute ~ stream play headset
volume loudness loud quiet stream_volume audible ~ sound
headset headphone headphones earphone wired bluetooth_headset ~ audio device
music song play playing playback media mediaplayer player ~ sound video
video movie film codec media ~ play
photo picture image screenshot capture captured screen_capture ~ camera screen
screenshot screen_capture picture_of_the_screen picture_of_the_display captured_screen taking_screenshot ~ image display
alarm timer wakeup reminder time_tick ~ schedule clock
activity screen_of_app intent startactivity ~ app start
recent_apps recent_tasks recently_used task_list ~ list app
wakelock wake_lock keep_awake suspend_blocker stay_awake kept_awake ~ power lock sleep
broadcast intent receiver ~ send
step steps walk walking walked pedometer footsteps step_count stepcounter running ~ count sport health
health fitness wellness medical wearable sport ~ step calorie heart
heart heartbeat pulse heart_rate bpm ~ health
calorie calories energy burned burn kcal burned_energy ~ sport health step
altitude height climb climbed metres meters elevation floors ~ distance step
distance metres meters kilometres miles ~ step altitude
goal target achievement ~ step
standing stand sitting ~ step
sport exercise workout training ~ step health
wear watch wearable band bracelet ~ device health
sensor sensors measurement ~ device data
speech voice siri dictation ~ audio
calendar appointment ~ date event
contact contacts address_book ~ person
icloud cloud_sync account_sync ~ cloud sync
bluetooth pair pairing paired ~ wireless
spotlight indexing finder dock ~ desktop
desktop window_server gdm login_window loginwindow x11 graphical_login display_manager ~ screen login
crash_report reportcrash diagnostics diagnostic ~ crash report
assistant helper agent ~ service
`
