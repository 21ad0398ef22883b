//! The keeper of one pool's Flink: a task that takes wishes, sees that they come true, and tells how jobs go.
//!
//! It alone talks to that Flink. Whatever it needs to know after a restart of the agent is on disk before it acts: a run's name
//! before its submission, the folders of its state before its start.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::beginning::{Beginner, Origin};
use super::crew::Crew;
use super::handle::{Board, lock};
use super::job_manager::Listed;
use super::reading::TaskManager;
use super::room::Room;
use super::select;
use super::session::{Clients, Session, Site};
use super::sizes::size_of;
use super::sql_job::{Act, From, Kept, Wished, act, begins_anew, next, properties};
use super::store::Store;
use super::told::Standing;
use crate::platform::process::Processes;

pub use super::handle::{Handle, Wish};

const LOOK: Duration = Duration::from_millis(700);
/// How long an end waits for savepoints. What a job wrote stands open at brokers without one, who take it back after a while.
const SAVEPOINTS_WITHIN: Duration = Duration::from_secs(12);
/// What the first statement of a gateway costs is paid before a job waits for it.
const WARM: &str = "EXPLAIN PLAN FOR SELECT a, COUNT(*) FROM (VALUES (1), (2)) AS t (a) GROUP BY a";

impl Handle {
    /// Starts the keeper of a pool. It ends with `stop`; the processes stay.
    ///
    /// # Errors
    /// As the file system says.
    pub fn start(
        site: Site,
        jobs: PathBuf,
        processes: Arc<dyn Processes>,
        beginner: Beginner,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let (wish, wishes) = watch::channel(Wish::default());
        let board = Arc::new(Mutex::new(Board::default()));
        let session = Session::open(site, Instant::now())?;
        let alive = session.alive(processes.as_ref());
        lock(&board).processes = alive;
        let keeper = Keeper {
            session,
            jobs,
            processes,
            beginner,
            wishes,
            board: Arc::clone(&board),
            rooms: BTreeMap::new(),
            crew: Crew::default(),
            ends_since: None,
            warm: None,
            open: None,
        };
        tokio::spawn(keeper.run(stop));
        Ok(Self { wish, board })
    }
}

struct Keeper {
    session: Session,
    /// The folder of all jobs, each of which has one of its own there.
    jobs: PathBuf,
    processes: Arc<dyn Processes>,
    beginner: Beginner,
    wishes: watch::Receiver<Wish>,
    board: Arc<Mutex<Board>>,
    rooms: BTreeMap<String, Room>,
    crew: Crew,
    ends_since: Option<Instant>,
    /// The processes whose gateway has planned a statement.
    warm: Option<(i32, i32)>,
    /// Both ends of it, while it takes statements.
    open: Option<Clients>,
}

impl Keeper {
    async fn run(mut self, stop: CancellationToken) {
        loop {
            let wish = self.wishes.borrow_and_update().clone();
            self.open = None;
            if let Err(error) = self.turn(&wish).await {
                tracing::error!(%error, "a turn over a pool's Flink failed; it is tried again");
            }
            self.tell();
            tokio::select! {
                () = stop.cancelled() => return,
                changed = self.wishes.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn tell(&self) {
        let mut board = lock(&self.board);
        board.open.clone_from(&self.open);
        board.processes = self.session.alive(self.processes.as_ref());
        board.jobs = self
            .rooms
            .iter()
            .map(|(id, room)| (id.clone(), room.told.clone()))
            .collect();
    }

    async fn turn(&mut self, wish: &Wish) -> io::Result<()> {
        self.rooms
            .retain(|id, _room| wish.jobs.iter().any(|it| it.id == *id));
        for job in &wish.jobs {
            if !self.rooms.contains_key(&job.id) {
                let room = Room::open(Kept::read(&self.jobs.join(&job.id))?);
                self.rooms.insert(job.id.clone(), room);
            }
        }
        let processes = Arc::clone(&self.processes);
        let is_complete = |it: &Wished| {
            self.rooms
                .get(&it.id)
                .is_some_and(|room| room.kept.is_complete(it, None))
        };
        let wanted = wish.jobs.iter().any(|it| it.runs && !is_complete(it));
        // Those that run, and those that an agent before left: they end with a savepoint, or at least were looked at.
        let alive = self.session.alive(processes.as_ref()) > 0;
        let moves = alive
            && wish.jobs.iter().filter(|it| !it.deleted).any(|it| {
                let told = self.rooms.get(&it.id).map(|it| it.told.standing);
                told.is_some_and(|it| !matches!(it, Standing::Gone | Standing::Refused | Standing::Lost))
            });
        let ends_since = wish.ends.then(|| self.ends_since.unwrap_or_else(Instant::now));
        self.ends_since = ends_since;
        let is_late = ends_since.is_some_and(|it| it.elapsed() > SAVEPOINTS_WITHIN);
        if is_late || !(wanted || moves) {
            self.session.end(processes.as_ref(), Instant::now())?;
            for (id, room) in &mut self.rooms {
                room.stopping = None;
                let deleted = wish.jobs.iter().any(|it| it.id == *id && it.deleted);
                let ends = deleted && (alive || !buried(self.session.store(), id).await);
                room.told.standing = if ends { Standing::Ending } else { Standing::Gone };
            }
            return Ok(());
        }
        let crew = self.crew(wish.task_managers).await;
        let crew = (&crew, size_of(wish.size));
        let clients = self
            .session
            .ensure(crew, processes.as_ref(), Instant::now())
            .await?;
        let Some(listed) = self.ready(&clients).await else {
            for (id, room) in &mut self.rooms {
                let runs = wish.jobs.iter().any(|it| it.id == *id && it.runs);
                room.told.standing = if runs {
                    Standing::Starting
                } else {
                    room.told.standing
                };
                room.told.workers = 0;
                room.told.reading = None;
            }
            return Ok(());
        };
        for job in &wish.jobs {
            self.job(job, &clients, &listed).await?;
        }
        select::sweep(&clients.job_manager, &listed, unix_ms()).await;
        self.open = (!wish.ends).then_some(clients);
        Ok(())
    }

    /// The numbers of the TaskManagers that shall run.
    async fn crew(&mut self, wanted: u32) -> BTreeSet<u32> {
        let there = self.session.task_managers();
        let mut idle = BTreeSet::new();
        if let (true, Ok(clients)) = (self.crew.has_surplus(wanted, &there), self.session.clients()) {
            // Who is not told of is taken to be at work.
            let told = clients.job_manager.task_managers().await.unwrap_or_default();
            let number = |it: &TaskManager| it.id.strip_prefix("taskmanager-")?.parse::<u32>().ok();
            idle.extend(told.iter().filter(|it| it.is_idle).filter_map(number));
        }
        let crew = self.crew.choose(wanted, &there, &idle, Instant::now());
        if self.crew.has_displaced() {
            self.rooms.values_mut().for_each(Room::displaced);
        }
        crew
    }

    /// The jobs that Flink has, once it takes statements.
    async fn ready(&mut self, clients: &Clients) -> Option<Vec<Listed>> {
        let epoch = self.session.epoch(self.processes.as_ref())?;
        if clients.job_manager.overview().await.ok()?.slots == 0 || !clients.gateway.is_ready().await {
            return None;
        }
        self.session.is_ready();
        if self.warm != Some(epoch) {
            let began = Instant::now();
            let session = clients.gateway.open(&BTreeMap::new()).await.ok()?;
            let planned = session.run(WARM).await;
            session.close().await;
            if let Err(error) = planned {
                tracing::warn!(%error, "Flink's SQL gateway is up and plans nothing");
                return None;
            }
            tracing::info!(took = ?began.elapsed(), "Flink's SQL gateway is warm");
            self.warm = Some(epoch);
        }
        clients.job_manager.jobs().await.ok()
    }

    async fn job(&mut self, wished: &Wished, clients: &Clients, listed: &[Listed]) -> io::Result<()> {
        let store = self.session.store().clone();
        let Some(room) = self.rooms.get_mut(&wished.id) else {
            return Ok(());
        };
        let name = room.kept.name(&wished.id);
        let found = listed.iter().find(|it| it.name == name);
        // A run of another name is one that nobody wants: of an attempt whose answer never came. It ends first.
        let is_stray = |it: &&Listed| {
            let rest = it.name.strip_prefix(&wished.id);
            !it.run.is_over() && it.name != name && rest.is_some_and(|it| it.starts_with('-'))
        };
        let mut has_strays = false;
        for stray in listed.iter().filter(is_stray) {
            has_strays = true;
            let _again_later = clients.job_manager.cancel(&stray.id).await;
        }
        if has_strays {
            return Ok(());
        }
        if room.kept.is_complete(wished, found) && !room.kept.completed {
            tracing::info!(job = wished.id, "a job came to its end");
            room.kept.completed = true;
            room.kept.write(&self.jobs.join(&wished.id))?;
        }
        let next = match act(wished, &room.kept, found) {
            // Flink does not change it while it runs: it begins again from a savepoint.
            Act::Rest if room.has_to_restart() && found.is_some_and(|it| !it.run.is_over()) => Act::Stop,
            act => act,
        };
        match next {
            Act::Rest => {
                let before = room.kept.clone();
                room.look(wished, found, &clients.job_manager).await;
                if room.kept != before {
                    room.kept.write(&self.jobs.join(&wished.id))?;
                }
                let ended = wished.deleted && room.told.standing == Standing::Gone;
                if ended && !buried(&store, &wished.id).await {
                    room.told.standing = Standing::Ending;
                }
            }
            Act::Cancel => {
                room.told.standing = Standing::Ending;
                if let Some(found) = found {
                    let _again_later = clients.job_manager.cancel(&found.id).await;
                }
            }
            Act::Stop => {
                room.told.standing = Standing::Ending;
                if !room.kept.stop_asked {
                    room.kept.stop_asked = true;
                    room.kept.write(&self.jobs.join(&wished.id))?;
                }
                if let Some(found) = found {
                    let (_checkpoints, savepoints) = store.places(&wished.id, room.kept.line);
                    room.stop(&found.id, &savepoints, &clients.job_manager).await;
                }
            }
            Act::Submit { again } => self.submit(wished, again, clients).await?,
        }
        Ok(())
    }

    /// Gives a job to Flink, from where it was.
    async fn submit(&mut self, wished: &Wished, again: bool, clients: &Clients) -> io::Result<()> {
        let folder = self.jobs.join(&wished.id);
        let store = self.session.store().clone();
        let (Some(room), Some(program)) = (self.rooms.get_mut(&wished.id), &wished.program) else {
            return Ok(());
        };
        if room.rests_until.is_some_and(|it| it > Instant::now()) {
            return Ok(());
        }
        let held = Kept {
            restarts: room.told.restarts,
            ..room.kept.clone()
        };
        let newest = match begins_anew(wished, &held) {
            true => Ok(None),
            false => store.newest(&wished.id, held.line).await,
        };
        let newest = match newest {
            Ok(newest) => newest,
            // Nobody knows what is there: that is no reason to begin elsewhere.
            Err(error) => {
                let pause = room.rest();
                room.told.standing = Standing::Starting;
                tracing::warn!(job = wished.id, ?pause, %error, "what a job remembered cannot be looked for");
                return Ok(());
            }
        };
        let (kept, from) = next(wished, &held, again, newest, unix_ms());
        room.told.restarts = kept.restarts;
        if from == From::Gone {
            if room.told.standing != Standing::Lost {
                tracing::error!(
                    job = wished.id,
                    "no checkpoint or savepoint is left of a job that had one: it does not begin"
                );
            }
            room.told.standing = Standing::Lost;
            room.rest();
            return Ok(());
        }
        if from == From::Nothing {
            let origins: Vec<Origin> = program.sources.iter().map(|(_table, it)| it.clone()).collect();
            let job = (program.cluster_id.as_str(), wished.id.as_str());
            if let Err(error) = self.beginner.begin(job, &origins, kept.began_ms).await {
                let pause = room.rest();
                room.told.standing = Standing::Starting;
                tracing::warn!(job = wished.id, ?pause, "a job cannot begin yet: {error}");
                return Ok(());
            }
        }
        if again && from == From::Nothing && room.kept.ran {
            tracing::info!(
                job = wished.id,
                "no checkpoint was whole: the job begins where it began"
            );
        }
        kept.write(&folder)?;
        room.kept = kept;
        let properties = properties(wished, &room.kept, &from, program, &store);
        room.submit(wished, program, &properties, &clients.gateway).await;
        if room.told.standing == Standing::Starting && !room.kept.ran {
            room.kept.ran = true;
            room.kept.write(&folder)?;
        }
        Ok(())
    }
}

/// Is the state of a job that goes for good gone, too? What could not be taken away is tried again.
async fn buried(store: &Store, job: &str) -> bool {
    match store.bury(job).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(job, %error, "what a job remembered cannot be taken away");
            false
        }
    }
}

fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX))
}
