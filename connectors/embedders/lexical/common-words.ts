/** Words that say nothing of what a text is about; they count only in a text that has no others. */
const stopWords =
  "a about above across after again against all almost along also although am among an and " +
  "another any anyone anything are aren around as at away be became because been before behind " +
  "being below between both but by can cannot could couldn did didn do does doesn doing don " +
  "done down during each either else ever every few for from further had hadn has hasn have " +
  "haven having he hence her here hers herself him himself his how however i if in indeed " +
  "instead into is isn it its itself just least less let many may maybe me might mine more " +
  "moreover most much must my myself neither no nor not now of off often on once only onto or " +
  "other others otherwise ought our ours ourselves out over own per perhaps quite rather s same " +
  "shall she should shouldn since so some something somewhere still such t than that the their " +
  "theirs them themselves then there therefore these they this those though through throughout " +
  "thus to together too toward towards under until up upon us very via was wasn we were weren " +
  "what whatever when whenever where whereas whether which while who whoever whom whose why " +
  "will with within without won would wouldn yet you your yours yourself";

/**
 * Words that stand in texts of every kind: general verbs, measures, and the language in which any text speaks of
 * itself. They count half. Written down by hand; the list knows no particular collection.
 */
const commonWords =
  "able accord account achieve actual add additional allow already always amount answer appear " +
  "apply approach appropriate area ask assume available average back base basic become begin " +
  "best better big bring build call care case cause certain chance change chapter choose clear " +
  "close come common compare complete concern condition consider contain continue correct cover " +
  "create current data day deal decide define depend describe detail determine develop " +
  "difference different difficult direct discuss document due early easy effect end enough " +
  "entire equal especially establish even event evidence exact example except exist expect " +
  "experiment explain extend fact far figure final find first fix follow form found four full " +
  "furthermore general get give given go good great group grow half hand happen hard help high " +
  "hold idea important improve include increase indicate individual information introduce " +
  "investigate involve issue keep kind know known large last late lead learn leave level like " +
  "likely limit line list little long look lot low main major make manner matter mean means " +
  "measure meet mention method mind moment move name nature necessary need never new next " +
  "normal note nothing number obtain obvious occur offer old one open order original page paper " +
  "part particular past people perform period place plan point position possible practical " +
  "prepare present previous probable problem procedure process produce property propose prove " +
  "provide purpose put question range reach read real reason receive recent reduce refer relate " +
  "relative remain report represent require respect result return right role room rule run say " +
  "second section see seem separate series set several short show shown side similar simple " +
  "single situation size small solve sort special specific stand start state step study subject " +
  "suggest suitable sure system table take talk tell tend term test text theory thing think " +
  "third thousand three time total treat true try turn two type understand use useful user " +
  "usual value various vary view want way week well whole wide work world write year yes zero";

export const stopWordSet: ReadonlySet<string> = new Set(stopWords.split(" "));
export const commonWordList: readonly string[] = commonWords.split(" ");
